import { writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { openReader } from '../../src/db/opening/open-reader.ts';
import {
  runCliProcess,
  type Answer,
  ask,
  connectInProcess,
  runCli,
  shiftedClock,
  startCli,
  temporaryFolder,
} from '../helpers.ts';

/** Shifts the wall clock of a process again and again, as a misconfigured NTP does; that of the system stays. */
const jumping = (hours: readonly number[], everyMilliseconds: number): string =>
  `--import data:text/javascript,${encodeURIComponent(
    `const Real = Date; const began = Real.now(); const hours = ${JSON.stringify(hours)};
     const shift = () => hours[Math.floor((Real.now() - began) / ${everyMilliseconds}) % hours.length] * 3600000;
     globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [Real.now() + shift()])); } static now() { return Real.now() + shift(); } };`,
  )}`;

describe('a run whose wall clock jumps hours forward and back', () => {
  it('ends normally, and no time in an answer is negative', async () => {
    const folder = temporaryFolder();
    const env = { NODE_OPTIONS: jumping([0, 5, -7, 24, -48], 150) };
    const settings = ['--stf-count', '5', '--set', 'fast_processing.slice_processing_time=4'];
    const run = startCli(['run', '--speed', '40', ...settings], { folder, env });
    const { code, stderr } = await run.finished;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^(?:WARNING the clock of this machine .*\n)+$/);
    const client = await connectInProcess(`${folder}/swf.db`);
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor).toMatchObject({ status: 'completed', slices_completed: 75 });
    expect(monitor['duration_seconds']).toBeGreaterThanOrEqual(0);
    expect(await runCli(['check'], { folder })).toMatchObject({ code: 0 });
  });

  it.each([
    ['back', -420],
    ['forward', 420],
  ])('that is set %s once keeps its duration and its timeline complete, and has a finding', async (_, seconds) => {
    const folder = temporaryFolder();
    const mark = `${folder}/step`;
    const env = {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
        `import { existsSync } from 'node:fs'; const Real = Date; const shift = () => existsSync(${JSON.stringify(mark)}) ? ${seconds * 1000} : 0;
         globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [Real.now() + shift()])); } static now() { return Real.now() + shift(); } };`,
      )}`,
    };
    const run = startCli(['run', '--speed', '20', '--stf-count', '6'], { folder, env });
    const began = performance.now();
    await run.saw(/start_run/);
    const client = await connectInProcess(`${folder}/swf.db`);
    const done = async (): Promise<number> =>
      (await ask(client, 'get_workflow_monitor', { execution_id: 'latest' }))['slices_completed'] as number;
    await expect.poll(done).toBeGreaterThan(0);
    writeFileSync(mark, '');
    expect(await run.finished).toMatchObject({ code: 0 });
    const took = (performance.now() - began) / 1000;
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor['duration_seconds']).toBeGreaterThan(0);
    expect(monitor['duration_seconds']).toBeLessThan(took + 1);
    expect(Date.parse(monitor['end_time'])).toBeGreaterThan(Date.parse(monitor['start_time']));
    expect(monitor['findings']).toContainEqual(
      expect.objectContaining({
        code: 'CLOCK_STEPPED',
        sentence: expect.stringMatching(
          seconds < 0
            ? /^The clock of \S+ was set back by 420(\.\d)? s at /
            : /^The clock of \S+ went forward by 420(\.\d)? s at /,
        ) as string,
      }),
    );
    const { series } = await ask(client, 'get_execution_timeline', { execution_id: 'latest' });
    const completed = (series as Record<string, number[]>)['completed'] ?? [];
    expect(completed.reduce((sum, n) => sum + n, 0)).toBe(90);
  });

  it('that was paused by a clock an hour ahead and killed is no longer paused once it is resumed', async () => {
    const folder = temporaryFolder();
    const ahead = { folder, env: { NODE_OPTIONS: shiftedClock(3_600_000) } };
    const run = startCli(['run', '--speed', '20', '--stf-count', '50'], ahead);
    await run.saw(/start_run/);
    expect(await runCliProcess(['pause', 'latest'], ahead)).toMatchObject({ code: 0 });
    run.child.kill('SIGKILL');
    await run.finished;
    const client = await connectInProcess(`${folder}/swf.db`);
    const monitor = (): Promise<Answer> => ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    const before = (await monitor())['slices_completed'] as number;
    const resumed = startCli(['resume', 'latest'], { folder });
    await expect.poll(async () => (await monitor())['slices_completed']).toBeGreaterThan(before);
    expect((await monitor())['health']).not.toBe('paused');
    resumed.child.kill('SIGKILL');
    await resumed.finished;
    const told = ({ health, drivers }: Answer): unknown => [
      health,
      (drivers as Answer[]).map(({ epoch, ended }) => [epoch, ended]),
    ];
    const { last_message_id } = await monitor();
    const as_of = `${new Date().toISOString()}@${last_message_id}`;
    const past = await ask(client, 'get_workflow_monitor', { execution_id: 'latest', as_of });
    expect(told(past)).toEqual(told(await monitor()));
  });

  it('whose process stood still has a finding with the time from when until when', async () => {
    const folder = temporaryFolder();
    const mark = `${folder}/still`;
    const env = {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
        `import { existsSync } from 'node:fs'; const Real = Date; const shift = () => existsSync(${JSON.stringify(mark)}) ? 20000 : 0;
         const now = performance.now.bind(performance); performance.now = () => now() + shift();
         globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [Real.now() + shift()])); } static now() { return Real.now() + shift(); } };`,
      )}`,
    };
    const run = startCli(['run', '--speed', '5'], { folder, env });
    await run.saw(/start_run/);
    const client = await connectInProcess(`${folder}/swf.db`);
    const findings = async (): Promise<{ code: string; sentence: string }[]> =>
      (await ask(client, 'get_workflow_monitor', { execution_id: 'latest' }))['findings'] as never;
    expect((await findings()).map(({ code }) => code)).not.toContain('NOTHING_WRITTEN');
    writeFileSync(mark, '');
    await expect
      .poll(async () => (await findings()).find(({ code }) => code === 'NOTHING_WRITTEN')?.sentence)
      .toMatch(/^Nothing was written from 20\S+Z to 20\S+Z \(2\d s\), though a process on \S+ drove the execution/);
    const said = await findings();
    expect(said.map(({ code }) => code)).not.toContain('CLOCK_STEPPED');
    const sentence = said.find(({ code }) => code === 'NOTHING_WRITTEN')?.sentence ?? '';
    const [from, until] = [...sentence.matchAll(/20\S+Z/g)].map(([time]) => Date.parse(time));
    const store = openReader(`${folder}/swf.db`);
    const within = 'SELECT count(*) AS n FROM message_rows WHERE recorded_ms > ? AND recorded_ms < ?';
    expect(store.prepare(within).get(from, until)).toEqual({ n: 0 });
    store.close();
  });

  it('that is killed after its clock was set back reports hanging slices, and resumes with later times', async () => {
    const folder = temporaryFolder();
    const mark = `${folder}/step`;
    const env = {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
        `import { existsSync } from 'node:fs'; const Real = Date; const shift = () => existsSync(${JSON.stringify(mark)}) ? -3600000 : 0;
         globalThis.Date = class extends Real { constructor(...a) { super(...(a.length ? a : [Real.now() + shift()])); } static now() { return Real.now() + shift(); } };`,
      )}`,
    };
    const hangs = `worker.payload=${JSON.stringify(['sh', '-c', `if [ -e ${mark} ]; then sleep 60; fi`, 'recon'])}`;
    const run = startCli(['run', '--speed', '10', '--set', hangs], { folder, env });
    await run.saw(/start_run/);
    const monitor = async () => {
      const { stdout } = await runCliProcess(['status', '--json'], { folder, env });
      return JSON.parse(stdout) as { health: string; slices_overdue?: number; slices_completed: number };
    };
    await expect.poll(async () => (await monitor()).slices_completed).toBeGreaterThan(5);
    writeFileSync(mark, '');
    await expect.poll(async () => (await monitor()).slices_overdue ?? 0).toBeGreaterThan(0);
    expect(['slow', 'stalled']).toContain((await monitor()).health);
    run.child.kill('SIGKILL');
    await run.finished;
    const again = startCli(['resume', 'latest', '--json'], { folder, env });
    const store = openReader(`${folder}/swf.db`);
    const times = (): number[] =>
      (store.prepare('SELECT recorded_ms AS at FROM message_rows ORDER BY seq').all() as { at: number }[]).map(
        ({ at }) => at,
      );
    await expect.poll(() => times().length).toBeGreaterThan(0);
    const driven = (): number =>
      (store.prepare(`SELECT count(*) AS n FROM message_rows WHERE body LIKE '%"epoch":2%'`).get() as { n: number }).n;
    await expect.poll(driven).toBeGreaterThan(0);
    // Read once: the resumed run goes on writing.
    const written = times();
    store.close();
    expect(written).toEqual(written.toSorted((a, b) => a - b));
    again.child.kill('SIGKILL');
  });
});
