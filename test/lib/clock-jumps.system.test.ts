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

describe('a run whose wall clock jumps', () => {
  it('ends normally after jumps of hours forward and back, without negative times', async () => {
    const folder = temporaryFolder();
    const env = { NODE_OPTIONS: jumping([0, 5, -7, 24, -48], 150) };
    const settings = ['--stf-count', '5', '--set', 'fast_processing.slice_processing_time=4'];
    const run = startCli(['run', '--speed', '40', ...settings], { folder, env });
    const { code, stderr } = await run.finished;
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const client = await connectInProcess(`${folder}/swf.db`);
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
    expect(monitor).toMatchObject({ status: 'completed', slices_completed: 75 });
    expect(monitor['duration_seconds']).toBeGreaterThanOrEqual(0);
    expect(await runCli(['check'], { folder })).toMatchObject({ code: 0 });
  });

  it.each([
    ['back', -420],
    ['forward', 420],
  ])('has a complete timeline, and times that never go back, after one jump %s', async (_, seconds) => {
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
    expect(monitor['duration_seconds']).toBeLessThan(took + 1 + Math.max(0, seconds));
    expect(Date.parse(monitor['end_time'])).toBeGreaterThan(Date.parse(monitor['start_time']));
    const { series } = await ask(client, 'get_execution_timeline', { execution_id: 'latest' });
    const completed = (series as Record<string, number[]>)['completed'] ?? [];
    expect(completed.reduce((sum, n) => sum + n, 0)).toBe(90);
  });

  it('continues when resumed, even if it was paused and killed with the clock an hour ahead', async () => {
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

  it('shows in its timeline how long its suspended process wrote nothing', async () => {
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
    const unwritten = async () => {
      const { phases } = await ask(client, 'get_execution_timeline', { execution_id: 'latest' });
      return (phases as { phase: string; start: string; end: string }[]).find(({ phase }) => phase === 'unwritten');
    };
    expect(await unwritten()).toBeUndefined();
    writeFileSync(mark, '');
    await expect.poll(unwritten).toBeDefined();
    const { start = '', end = '' } = (await unwritten()) ?? {};
    const [from, until] = [Date.parse(start), Date.parse(end)];
    expect(until - from).toBeGreaterThanOrEqual(20_000);
    const store = openReader(`${folder}/swf.db`);
    const within = 'SELECT count(*) AS n FROM message_rows WHERE recorded_ms > ? AND recorded_ms < ?';
    expect(store.prepare(within).get(from, until)).toEqual({ n: 0 });
    store.close();
    const { items } = await ask(client, 'list_logs', { search: 'nothing was written' });
    expect(items).toHaveLength(1);
  });

  it('has the finding CLOCK_OFF and no ages once the clock is set back, and resumes with later times', async () => {
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
      return JSON.parse(stdout) as { health?: string; slices_completed: number; findings: { code: string }[] };
    };
    await expect.poll(async () => (await monitor()).slices_completed).toBeGreaterThan(5);
    writeFileSync(mark, '');
    await expect.poll(async () => (await monitor()).findings.map(({ code }) => code)).toEqual(['CLOCK_OFF']);
    const set = await monitor();
    expect(set.health).toBeUndefined();
    expect(set).not.toHaveProperty('oldest_in_hand');
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
