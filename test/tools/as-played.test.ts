import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { expectErrors } from '../codes.ts';
import { ask, connectInProcess, refusal, runCli, runWorkflow, temporaryFolder } from '../helpers.ts';
import { type HistoryRow, replay } from '../histories/log-file.ts';
import { makeRun } from '../observed/generator.ts';

async function storeOfRecordings(paths: readonly string[]): Promise<string> {
  const store = await openStore(join(temporaryFolder(), 'swf.db'));
  await readIntoStore(paths, { store, namespaces: [], until: undefined, onTorn: () => {} });
  store.close();
  return store.path;
}

async function storeOfHistory(name: string): Promise<string> {
  const path = join(temporaryFolder(), 'swf.db');
  const lines = readFileSync(join('test/histories', name), 'utf8').trim().split('\n');
  await replay(
    lines.map((line) => JSON.parse(line) as HistoryRow),
    path,
  );
  return path;
}

/** By how many percent of its duration the replay misses the end of the newest run. */
async function missed(store: string): Promise<number> {
  const client = await connectInProcess(store);
  const { as_played } = await ask(client, 'plan_run', { execution_id: 'latest', as_played: true });
  return Math.abs(as_played.off_percent);
}

describe('plan_run with as_played', () => {
  it.each(readdirSync('test/histories').filter((name) => /^(complete|failing|over|paused|sampled).*log/.test(name)))(
    'reproduces the duration of a recorded run within 5 percent: %s',
    async (name) => {
      expect(await missed(await storeOfHistory(name))).toBeLessThanOrEqual(5);
    },
  );

  it.each(['H-1', 'H-2', 'F-1', 'F-2'])(
    'reproduces the duration of a run by other programs within 5 percent: %s',
    async (name) => {
      expect(
        await missed(await storeOfRecordings([resolve('test/recordings', name, 'bus.jsonl.gz')])),
      ).toBeLessThanOrEqual(5);
    },
  );

  it('reproduces the durations of 40 generated runs by other programs within 5 percent', async () => {
    let seen = 0;
    for (let seed = 1; seed <= 400 && seen < 40; seed += 1) {
      const { lines, truth } = makeRun({ seed, stfs: 4 });
      // A run with unanswered slices has not ended.
      if (!truth.hasEnded || truth.slices_unanswered > 0) continue;
      seen += 1;
      const file = join(temporaryFolder(), 'run.jsonl');
      writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      expect({ seed, off: await missed(await storeOfRecordings([file])) }).toEqual({
        seed,
        off: expect.toSatisfy((n: number) => n <= 5),
      });
    }
    expect(seen).toBe(40);
  });

  it('shows the effect of changed settings, and refuses changes that it cannot simulate', async () => {
    const folder = temporaryFolder();
    const store = join(folder, 'swf.db');
    await runWorkflow(folder, '--stf-count', '10', '--speed', '300', '--set', 'fast_processing.target_worker_count=4');
    const client = await connectInProcess(store);
    const played = (changes: object) =>
      ask(client, 'plan_run', { execution_id: 'latest', as_played: true, ...changes });
    const tookOf = ({ as_played: { from, changed } }: Record<string, any>): number =>
      Date.parse(changed.end) - Date.parse(from);
    const { as_played } = await played({});
    const real = Date.parse(as_played.real_end) - Date.parse(as_played.from);
    expect(as_played).not.toHaveProperty('changed');
    expect(as_played.was).toMatchObject({ slices: 150, worker_slots: 4 });
    expect(tookOf(await played({ target_worker_count: 40 }))).toBeLessThan(real);
    expect(tookOf(await played({ slice_processing_time: 2 }))).toBeGreaterThan(real);
    const halved = await played({ stf_sampling_rate: 0.5 });
    expect(halved['as_played'].changed.slices).toBe(75);
    const [{ agent_name }] = (await ask(client, 'list_agents', { agent_type: 'worker', include_exited: true }))[
      'items'
    ];
    expect((await played({ without_worker: `${agent_name}/01` }))['as_played'].changed.worker_slots).toBe(3);
    const nobody = (await played({ without_worker: agent_name }))['as_played'].changed;
    expect(nobody).toMatchObject({ worker_slots: 0, undone: 150 });
    expect(nobody).not.toHaveProperty('end');

    const refused = (args: object) => refusal(client, 'plan_run', { as_played: true, ...args });
    const latest = { execution_id: 'latest' };
    const errors: Record<string, string> = {};
    for (const args of [
      {},
      { ...latest, stf_count: 3 },
      { ...latest, stf_sampling_rate: 2 },
      { ...latest, slice_processing_time: 0 },
      { ...latest, without_host: 'moon' },
    ])
      errors[JSON.stringify(args)] = (await refused(args)).replaceAll(hostname(), 'HOST');
    errors['without as_played'] = await refusal(client, 'plan_run', { ...latest, without_host: 'x' });
    await expectErrors('as-played', errors);

    const drawn = await runCli(['plan', '--as-played', 'latest', '--set', 'target_worker_count=40'], { folder });
    expect(drawn.stdout).toMatch(/^as it was +[\d.]+ s +4 +150 /m);
    expect(drawn.stdout).toMatch(/^with changes +[\d.]+ s +40 +150 /m);
    expect(drawn.stdout).toMatch(/^replayed +[·▁▂▃▄▅▆▇█]{60}$/m);
    const wrong = await runCli(['plan', '--as-played', 'latest', '--set', 'color=red'], { folder });
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        '"color" cannot be changed with --as-played; each --set changes one of target_worker_count',
      ),
    });
  });
});
