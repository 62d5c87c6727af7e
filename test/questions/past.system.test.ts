import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import { pause } from '../../src/lib/deadline.ts';
import { type Answer, ask, connectInProcess, runCli, runWorkflow, startCli, temporaryFolder } from '../helpers.ts';
import { type Logged, logOf } from './log-of.ts';

const folder = temporaryFolder();
const store = join(folder, 'swf.db');
let log: Logged[];
let first: string;
let second: string;

/** The number of recorded messages. */
function rowsIn(path: string): number {
  const db = openReader(path);
  const { n } = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM message_rows').get() as { n: number };
  db.close();
  return n;
}

/** A run of three workers that is killed and resumed, and a run before it. */
async function makeRuns(): Promise<void> {
  first = (await runWorkflow(folder, '--stf-count', '3'))['execution_id'];
  const flaky = 'worker.payload=["sh","-c","[ $(($$ % 5)) -ne 0 ] || { echo no luck >&2; exit 3; }"]';
  const run = startCli(
    ['run', '--speed', '30', '--stf-count', '20', '--set', flaky, '--set', 'fast_processing.target_worker_count=3'],
    { folder },
  );
  await run.saw(/start_run/);
  await expect.poll(() => rowsIn(store)).toBeGreaterThan(450);
  run.child.kill('SIGKILL');
  await run.finished;
  // During this time nobody drives it.
  await pause(1500);
  await runCli(['resume', 'latest'], { folder });
  log = logOf(store);
  second = log.at(-1)?.execution_id ?? '';
}

/** The rows of the log as of a time. */
const until = (time: string): Logged[] => log.filter(({ recorded_at }) => recorded_at <= time);
const of = (rows: readonly Logged[], type: string): Logged[] =>
  rows.filter(({ message_type, execution_id }) => message_type === type && execution_id === second);

/** The time at which this part of the messages of the run, from 0 to 1, had been recorded. */
function at(part: number): string {
  const own = log.filter(({ execution_id }) => execution_id === second);
  return own[Math.floor(own.length * part)]?.recorded_at ?? '';
}

/** The middle of the time in which nobody drove the run. */
function unattended(): string {
  const takenUp = log.findIndex(({ message_type, body }) => message_type === 'driver_started' && body['epoch'] === 2);
  const [before, after] = [log[takenUp - 2], log[takenUp]].map((row) => Date.parse(row?.recorded_at ?? ''));
  return new Date(((before ?? 0) + (after ?? 0)) / 2).toISOString();
}

describe('one call answers a question about the past', () => {
  const told = async (tool: string, args: object): Promise<Answer> =>
    ask(await connectInProcess(store), tool, args as Record<string, unknown>);
  const monitor = (as_of: string): Promise<Answer> => told('get_workflow_monitor', { execution_id: second, as_of });
  it('there are two runs to ask about', async () => {
    await makeRuns();
    expect(second).not.toBe(first);
  }, 120_000);

  it.each([0.2, 0.5, 0.8])(
    "how many slices had been created and completed %d of the way through a run's messages?",
    async (part) => {
      const rows = until(at(part));
      const done = of(rows, 'slice_result').filter(({ body }) => body['state'] === 'done');
      const slices = new Set(of(rows, 'slice').map(({ body }) => body['slice_filename'] as string));
      const answer = await monitor(at(part));
      expect(answer).toMatchObject({ status: 'running', slices_created: slices.size });
      expect(answer['slices_completed']).toBe(new Set(done.map(({ body }) => body['slice_filename'] as string)).size);
    },
  );

  it('was a run stalled without a driver, and did a finding say so?', async () => {
    const answer = await monitor(unattended());
    expect(answer['health']).toBe('stalled');
    expect(answer['findings'].map(({ code }: Answer) => code)).toContain('DRIVER_GONE');
    expect(answer['progress']).not.toHaveProperty('seconds_left');
  });

  it('was a run healthy before it stalled?', async () => {
    const { health, drivers } = await monitor(at(0.02));
    expect(health).toMatch(/^(?:progressing|draining)$/);
    expect(drivers).toHaveLength(1);
  });

  it('halfway through, how many attempts had failed?', async () => {
    const failed = of(until(at(0.5)), 'slice_result').filter(({ body }) => body['state'] === 'failed');
    const { total } = await told('summarize', {
      what: 'slices',
      group_by: 'cause',
      execution_id: second,
      as_of: at(0.5),
    });
    expect(total.count).toBe(failed.length);
  });

  it('which runs were in progress at a given time?', async () => {
    const { items } = await told('list_workflow_executions', { status: 'running', as_of: at(0.5) });
    expect(items.map(({ execution_id }: Answer) => execution_id)).toEqual([second]);
    const before = log.find(({ execution_id }) => execution_id === second)?.recorded_at ?? '';
    const earlier = new Date(Date.parse(before) - 1).toISOString();
    expect(await told('list_workflow_executions', { as_of: earlier })).toMatchObject({
      items: [{ execution_id: first, status: 'completed' }],
    });
  });

  it('which STF files were ready at a given time?', async () => {
    const ready = of(until(at(0.3)), 'stf_ready').map(({ body }) => body['stf_filename'] ?? body['filename']);
    const { items } = await told('list_stf_files', { execution_id: second, status: 'processed', as_of: at(0.3) });
    expect(items.map(({ stf_filename }: Answer) => stf_filename).toSorted()).toEqual(ready.toSorted());
  });

  it('how many messages had been recorded?', async () => {
    const { total_count } = await told('list_messages', { execution_id: second, as_of: at(0.6) });
    expect(total_count).toBe(until(at(0.6)).filter(({ execution_id }) => execution_id === second).length);
  });

  it('was the data already complete?', async () => {
    expect(await told('audit_execution', { execution_id: second, as_of: at(0.6) })).toMatchObject({ verdict: 'open' });
    expect(await told('audit_execution', { execution_id: second })).toMatchObject({ verdict: 'balanced' });
  });

  it('what had happened to one slice so far?', async () => {
    const time = at(0.5);
    const [some] = of(until(time), 'slice_started').toReversed();
    const filename = some?.body['slice_filename'] as string;
    const hops = until(time).filter(({ body }) => body['slice_filename'] === filename);
    const answer = await told('trace_data_product', { filename, as_of: time });
    const own = answer['hops'].filter(({ type }: Answer) => String(type).startsWith('slice'));
    expect(own.map(({ type }: Answer) => type)).toEqual(hops.map(({ message_type }) => message_type));
  });

  it("were a run's workers alive while it had no driver?", async () => {
    const { items } = await told('list_agents', { execution_id: second, as_of: unattended() });
    expect(items.filter(({ agent_type }: Answer) => agent_type === 'worker')).toMatchObject([
      { state: 'EXITED', status: 'STALE' },
    ]);
  });
});
