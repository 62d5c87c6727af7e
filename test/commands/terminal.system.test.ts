import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { cliPath, runCli, startCli, startProcess, temporaryFolder } from '../helpers.ts';
import { isMissing } from '../programs.ts';
import { runInTerminal } from '../terminal.ts';

const missing = isMissing('script') || isMissing('stty');

function expectCursor(written: string): void {
  expect(written.lastIndexOf('\u001B[?25h')).toBeGreaterThan(written.lastIndexOf('\u001B[?25l'));
}

const sets = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);
const slow = ['--speed', '20', '--stf-count', '4', ...sets('fast_processing.slice_processing_time=10')];

describe.skipIf(missing)('in a terminal', () => {
  it.each([
    { columns: 80, rows: 24, env: {} },
    { columns: 120, rows: 40, env: { COLORTERM: 'truecolor' } },
    { columns: 80, rows: 24, env: { NO_COLOR: '1' } },
  ])(
    'of $columns × $rows, a run shows a single view, and its summary at the end: $env',
    async ({ columns, rows, env }) => {
      const folder = temporaryFolder();
      const seen = runInTerminal(['run', ...slow], { columns, rows, folder, env });
      await seen.started.saw(/draining/);
      const view = await seen.rows();
      expect(view[0]).toMatch(/^execution stf_datataking-tester-0001, run 100010, speed 20, store /);
      const place = view.findIndex((line) => /^stf_datataking-tester-0001 {2}run 100010 +\d+ s$/.test(line));
      expect(place).toBeGreaterThan(0);
      expect(view[place + 1]).toMatch(/^ draining {2}the DAQ is done, simulated \d+ s, speed 20, namespace torre2$/);
      expect(view.filter((line) => line.startsWith('TF slices'))).toHaveLength(1);
      for (const line of view) expect(line.length).toBeLessThanOrEqual(columns);
      expect((await seen.started.finished).code).toBe(0);

      const last = await seen.rows();
      expect(last.join('\n')).toMatch(/└── next {8}swf-mcp status stf_datataking-tester-0001$/);
      // Nothing is left of the view, and the cursor is visible again.
      expect(last.join('\n')).not.toMatch(/workers +\d+ of/);
      expectCursor(seen.written());
      const isColoured = seen.written().includes('\u001B[48;');
      expect(isColoured).toBe(!('NO_COLOR' in env));
    },
  );

  it('warnings of the agents go to the store, not into the view', async () => {
    const folder = temporaryFolder();
    const failing = sets('worker.payload=["false"]', 'worker.max_retries=1');
    const seen = runInTerminal(['run', ...slow, ...failing], { columns: 80, rows: 24, folder });
    expect((await seen.started.finished).code).toBe(3);
    expect(seen.written()).not.toMatch(/WARNING/);
    expect(seen.written()).toMatch(/\d+ failed permanently, \d+ retries/);
    const { stdout } = await runCli(['call', 'list_logs', '{"level":"WARNING","limit":1}'], { folder });
    expect(stdout).toMatch(/"total_count":120/);
  });

  it('the view shows a hanging slice with its age and the usual time', async () => {
    const folder = temporaryFolder();
    const hangs = sets('worker.payload=["sh","-c","[ $SWF_SLICE_ID = 5 ] && sleep 300; sleep 0.2"]');
    const seen = runInTerminal(['run', '--speed', '20', '--stf-count', '1', ...hangs], {
      columns: 80,
      rows: 24,
      folder,
    });
    await seen.started.saw(/! oldest/);
    const view = (await seen.rows()).join('\n');
    expect(view).toMatch(/^! oldest +\d+ s, usual 0\.\d+ s, 1 overdue: swf\.100010\.000001_slice_005\.tf$/m);
    expect(view).toMatch(/^ slow {2}the DAQ is done/m);
    expect(view).not.toMatch(/ [01] s left/);
    expect((await runCli(['stop', 'latest'], { folder })).code).toBe(0);
    expect((await seen.started.finished).code).toBe(4);
  });

  it('with TERM=dumb a run prints plain lines', async () => {
    const folder = temporaryFolder();
    const seen = runInTerminal(['run', ...slow], { columns: 80, rows: 24, folder, env: { TERM: 'dumb' } });
    expect((await seen.started.finished).code).toBe(0);
    expect(seen.written()).not.toContain('\u001B');
    expect(seen.written()).toMatch(/start_run: physics\r?\n/);
  });

  it('status --watch ends in one line if the store disappears, and shows the cursor again', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '20', ...sets('fast_processing.physics_period_count=0')], { folder });
    await run.saw(/start_run/);
    const seen = runInTerminal(['status', '--watch'], { columns: 80, rows: 24, folder });
    await seen.started.saw(/progressing/);
    run.child.kill('SIGKILL');
    await run.finished;
    rmSync(join(folder, 'swf.db'));
    expect((await seen.started.finished).code).toBe(1);
    expect((await seen.rows()).join('\n')).toMatch(/^STORE_CORRUPT: /m);
    expect(seen.written()).not.toMatch(/ at .*\.js:/);
    expectCursor(seen.written());
  });

  it('Ctrl-C twice ends a run immediately, and shows the cursor again', async () => {
    const folder = temporaryFolder();
    const stubborn = sets(`worker.payload=["sh","-c","trap '' TERM; sleep 30"]`);
    const seen = runInTerminal(['run', ...slow, ...stubborn], { columns: 80, rows: 24, folder });
    await seen.started.saw(/[1-9]\d* processing/);
    seen.started.child.stdin?.write('\u0003');
    await seen.started.saw(/ending the run for good; to exit now and resume later, send the signal again/);
    seen.started.child.stdin?.write('\u0003');
    expect((await seen.started.finished).code).toBe(130);
    expectCursor(seen.written());
  });

  it('a run responds to keys again after Ctrl-Z, bg and fg', async () => {
    const folder = temporaryFolder();
    const bash = 'stty rows 24 cols 80; exec env -u CI -u NO_COLOR TERM=xterm-256color bash --norc --noprofile -i';
    const shell = startProcess('script', ['-qec', bash, '/dev/null'], { folder });
    const type = (text: string) => shell.child.stdin?.write(text);
    type(`'${process.execPath}' '${cliPath}' run --speed 1 --stf-count 500\n`);
    await shell.saw(/p pause/);
    type('\u001A');
    await shell.saw(/Stopped/);
    type('bg\n');
    await shell.saw(/\[1\]\+? .*&/);
    type('fg\n');
    const pauses = async () =>
      (await runCli(['call', 'list_messages', 'message_type=pause_workflow'], { folder })).stdout;
    // The shell does not say when the run is back: the key is pressed until it is heard.
    await expect.poll(async () => (type('p'), pauses()), { interval: 700 }).toMatch(/"items":\[\{/);
  });

  it('status --watch says when the process of a run does not respond', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '20', ...sets('fast_processing.physics_period_count=0')], { folder });
    await run.saw(/start_run/);
    run.child.kill('SIGSTOP');
    const store = await openStore(join(folder, 'swf.db'));
    store.db.exec(`UPDATE processes SET last_beat = '2026-01-01T00:00:00.000Z'`);
    store.close();
    const seen = runInTerminal(['status', '--watch'], { columns: 100, rows: 24, folder });
    await seen.started.saw(/its process \d+ on .* has not been heard from for a while/);
    expect((await seen.rows()).join('\n')).toMatch(/ stalled {2}phase physics/);
    seen.started.child.stdin?.write('\u0003');
    expect((await seen.started.finished).code).toBe(130);
  });

  it('status --watch shows the run of another process, and what to do if that process is killed', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '20', ...sets('fast_processing.physics_period_count=0')], { folder });
    await run.saw(/start_run/);
    const seen = runInTerminal(['status', '--watch'], { columns: 80, rows: 24, folder });
    await seen.started.saw(/progressing/);
    expect((await seen.rows())[0]).toMatch(/^stf_datataking-tester-0001 {2}run 100010/);
    run.child.kill('SIGKILL');
    await seen.started.saw(
      /its process is gone; resume the execution with[^]*swf-mcp resume stf_datataking-tester-0001/,
    );
    expect((await runCli(['stop', 'latest'], { folder })).code).toBe(0);
    expect((await seen.started.finished).code).toBe(4);
    expect((await seen.rows()).at(-1)).toMatch(
      /^stf_datataking-tester-0001: terminated \(stopped by tester\), health finished$/,
    );
  });
});

describe('without a terminal', () => {
  it('status --watch without an id shows the newest run that has a driver', async () => {
    const folder = temporaryFolder();
    startCli(['run', '--speed', '5'], { folder });
    await expect.poll(() => runCli(['status', '--json'], { folder })).toMatchObject({ code: 0 });
    const dead = startCli(['run', '--speed', '5'], { folder });
    await dead.saw(/execution stf_datataking-tester-0002/);
    dead.child.kill('SIGKILL');
    await dead.finished;
    await startCli(['status', '--watch', '--json'], { folder }).saw(/^\{"execution_id":"stf_datataking-tester-0001"/);
  });

  it('status --watch prints a line when something changes, and the status at the end', async () => {
    const folder = temporaryFolder();
    // Slower, so that a watch that takes a second to start sees physics too.
    const run = startCli(['run', ...slow, '--speed', '5'], { folder });
    await run.saw(/run_imminent/);
    const watch = startCli(['status', '--watch'], { folder });
    const { code, stdout } = await watch.finished;
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001B');
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC running, phase physics, progressing: \d of 4 STF files, /m,
    );
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC running, the DAQ is done, draining: \d of 4 STF files, \d+ of 60 TF slices done/m,
    );
    expect(stdout).toMatch(/^stf_datataking-tester-0001: completed, health finished$/m);
    expect((await run.finished).code).toBe(0);
  });

  it('status --watch --json prints the monitor’s answer whenever it changes', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', ...slow, '--speed', '5'], { folder });
    await run.saw(/start_run/);
    const { code, stdout } = await startCli(['status', '--watch', '--json'], { folder }).finished;
    expect(code).toBe(0);
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { status: string });
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.at(0)).toMatchObject({ status: 'running' });
    expect(answers.at(-1)).toMatchObject({ status: 'completed', slices_completed: 60 });
    expect((await run.finished).code).toBe(0);
  });

  it('the summary of a run begins with delays and files, and ends with the result and the next command', async () => {
    const folder = temporaryFolder();
    const { stdout } = await runCli(['run', '--speed', 'max', '--stf-count', '3'], { folder });
    const lines = stdout.split('\n');
    expect(lines).toContain('Run 100010, execution stf_datataking-tester-0001: completed');
    expect(stdout).toMatch(/^├── delays +p50 +p95 +max$/m);
    expect(stdout).toMatch(/^│ {3}└── slice begun → completed(?: +(?:\d+ ms|[\d.]+ s)){3}$/m);
    expect(lines).toContain(`├── files       ${join(folder, 'swf.db.data', 'stf_datataking-tester-0001')}`);
    expect(lines.slice(-7, -1)).toEqual([
      expect.stringMatching(/^├── duration /),
      '├── STF files   3 of 3 announced, 3 ready',
      '├── TF samples  3 of 3',
      '├── TF slices   45 of 45: 45 completed, 0 failed, 100 % of the run',
      '├── result      completed, health finished',
      '└── next        swf-mcp status stf_datataking-tester-0001',
    ]);
    expect(readFileSync(join(folder, 'swf.db')).length).toBeGreaterThan(0);
  });
});
