import { beforeAll, describe, expect, it, vi } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { codeOf, expectErrors } from '../codes.ts';
import { ask, askAll, connectStdio, runCli, runWorkflow, startCli, temporaryFolder } from '../helpers.ts';
import { Written } from '../in-process.ts';
import { isMissing } from '../programs.ts';
import { runInTerminal } from '../terminal.ts';

/** A payload that fails slices 5 and 7 of each STF for good. */
const failing = [
  '--set',
  `worker.payload=["/bin/sh","-c","case $SWF_SLICE_ID in 5|7) echo bad geometry >&2; exit 3;; esac"]`,
  '--set',
  'worker.max_retries=1',
];

describe('tables for people', () => {
  let folder = '';
  const table = async (...args: string[]): Promise<string[]> => {
    const { stdout, code } = await runCli(args, { folder });
    expect(code).toBe(0);
    return stdout.trimEnd().split('\n');
  };

  beforeAll(async () => {
    folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    await runCli(['run', '--speed', 'max', '--stf-count', '3', ...failing], { folder });
  });

  it('list executions newest first, each with its number of failed slices', async () => {
    const lines = await table('list');
    expect(lines[0]).toMatch(/^EXECUTION +STATE +STFS +SLICES +DONE +FAILED +RETRIES +QUALITY +STARTED \(UTC\) +TOOK$/);
    expect(lines[1]).toMatch(/^stf_datataking-tester-0002 +completed +3 +45 +39 +6 +6 /);
    expect(lines[2]).toMatch(/^stf_datataking-tester-0001 +completed +2 +30 +30 +0 +0 /);
    expect(lines).toHaveLength(3);
  });

  it('show the newest execution by default, or the one that is named, with or without a flag', async () => {
    expect((await table('files')).slice(1)).toHaveLength(3);
    expect((await table('files', 'stf_datataking-tester-0001')).slice(1)).toHaveLength(2);
    expect((await table('files', '--execution-id', 'stf_datataking-tester-0001')).slice(1)).toHaveLength(2);
    expect((await table('files', '--run-number', '100010')).slice(1)).toHaveLength(2);
    // A file name or a time selects rows of any execution.
    expect((await table('slices', '--stf-filename', 'swf.100010.000001.stf')).slice(1)).toHaveLength(15);
    expect((await table('files', '--start-time', '-1h')).slice(1)).toHaveLength(5);
    const sums = async (...args: string[]): Promise<string[]> => (await table('summarize', ...args)).slice(1);
    expect(await sums('slices', '--start-time', '-1h')).toContainEqual(expect.stringMatching(/^all slices +75 /));
    expect(await sums('slices', '--group-by', 'execution_id')).toHaveLength(3);
  });

  it('list the agents of a named execution, or those of the newest one if no agent is alive', async () => {
    const { stdout, stderr } = await runCli(['agents'], { folder });
    expect(stdout.trimEnd().split('\n').slice(1)).toEqual(
      Array.from({ length: 5 }, () => expect.stringMatching(/ EXITED /)),
    );
    expect(stderr).toBe('');
    expect((await table('agents', 'stf_datataking-tester-0001')).slice(1)).toHaveLength(5);
  });

  it('accept the tool’s arguments as flags', async () => {
    const failed = await table('slices', '--status', 'failed', '--min-retries', '1');
    expect(failed.slice(1)).toHaveLength(6);
    expect(failed[1]).toMatch(/_slice_007\.tf +failed +1 +worker-agent-\S+ .*its last words: bad geometry$/);
    const wide = await table('slices', '--status', 'failed', '-o', 'wide');
    expect(wide[0]).toMatch(/ FROM +TO +PAYLOAD +EXIT +SIGNAL +OUTPUTS +TF FILE +EXECUTION$/);
    expect(wide[1]).toMatch(/ sh sha256:\S+ +3 +swf\.100011\.\d+_tf_001\.tf +stf_datataking-tester-0002$/);
    expect((await table('messages', '--message-type', 'end_run'))[1]).toMatch(/ end_run +daq_simulator-agent-/);
    expect(
      (await table('logs', '--level', 'ERROR', '--agent', 'fast_processing-agent-tester-9')).slice(1),
    ).toHaveLength(6);
    const help = (await table('slices', '--help')).join('\n');
    expect(help).toMatch(/--status <queued\|processing\|completed\|failed\|unanswered>\s+state of the slice/);
    expect(help).toMatch(/--assigned-worker <TEXT>/);
  });

  it('without rows name the searched execution, and still have a header as CSV', async () => {
    const none = await runCli(['slices', '--status', 'queued'], { folder });
    expect(none).toMatchObject({ code: 0, stdout: '' });
    expect(none.stderr).toBe(
      'no matching rows in stf_datataking-tester-0002, the newest execution; "swf-mcp list" shows all executions\n',
    );
    const csv = await runCli(['files', '--has-slices', 'false', '-o', 'csv'], { folder });
    expect(csv.stdout).toMatch(/^stf_filename,run_number,execution_id,.*processed_at,sites\r\n$/);
    const written = vi.spyOn(Written.prototype, 'add');
    const full = await runCli(['files', '-o', 'csv', '--limit', '1'], { folder });
    expect(full.stdout.split('\r\n')[0]).toBe(csv.stdout.trim());
    // Row by row: one string of all rows may be too long for V8.
    expect(written).toHaveBeenNthCalledWith(1, 'stdout', csv.stdout);
  });

  it('refuse contradictory and meaningless flags before anything is shown', async () => {
    const errors: Record<string, string> = {};
    for (const args of [
      ['slices', 'latest', '--execution-id', 'stf_datataking-tester-0001'],
      ['summarize', 'slices', '--what', 'logs'],
      ['logs', '-f', '-o', 'csv'],
      ['slices', '--status', 'broken'],
      ['slices', '--fields', 'nonsense'],
      ['trace', 'swf.1.000001.stf'],
      ['trace', 'swf.100011.000001_slice_005'],
    ]) {
      const { stdout, stderr, code } = await runCli(args, { folder });
      // A value that no store would accept is wrong usage.
      const isUsage = /^-(?:f|-status|-fields)$/.test(args[1] ?? '');
      expect({ args, stdout, code }).toEqual({ args, stdout: '', code: isUsage ? 2 : 1 });
      errors[args.join(' ')] = stderr;
    }
    await expectErrors('tables', errors);
    for (const args of [
      ['files', '--has-slices', 'no'],
      ['slices', '--limit', '0'],
      ['logs', '-f', '--order', 'oldest'],
    ])
      expect(await runCli(args, { folder })).toMatchObject({ code: 2, stdout: '' });
  });

  it('say on stderr how many rows there are, and show all of them on request', async () => {
    const { stdout, stderr } = await runCli(['slices', '--limit', '2'], { folder });
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(stderr).toBe('2 of 45 rows; --limit 45 shows all\n');
    expect(await table('messages', '--limit', '1000')).toHaveLength(1 + (await countOfMessages(folder)));
  });

  it('contain the full rows of the tool as JSON, and its fields as CSV', async () => {
    const items = JSON.parse((await table('slices', '-o', 'json')).join('\n')) as Record<string, unknown>[];
    expect(items).toHaveLength(45);
    const client = await connectStdio({ folder });
    expect(items).toEqual(await askAll(client, 'list_tf_slices', { execution_id: 'latest', limit: 45 }));
    const { stdout } = await runCli(['slices', '-o', 'csv', '--status', 'failed'], { folder });
    const records = stdout.split('\r\n');
    expect(records[0]).toMatch(/^slice_filename,slice_id,tf_filename,/);
    expect(records).toHaveLength(8);
    expect(records[1]).toMatch(/^swf\.100011\.000003_slice_007\.tf,7,/);
  });

  it("list every attempt in a slice's trace, with worker and cause", async () => {
    const lines = await table('trace', 'swf.100011.000001_slice_005.tf');
    expect(lines[0]).toMatch(/^TF slice swf\.100011\.000001_slice_005\.tf of stf_datataking-tester-0002: failed, /);
    const results = lines.filter((line) => / slice_result /.test(line));
    expect(results).toHaveLength(2);
    expect(results[0]).toMatch(/ 1 +worker-agent-tester-\d+\/\d+ +failed +.*bad geometry/);
    const records = (await runCli(['trace', 'swf.100011.000001_slice_005.tf', '-o', 'csv'], { folder })).stdout;
    expect(records.split('\r\n')[0]).toMatch(/^type,time,.*,worker,attempt,/);
    const json = JSON.parse((await table('trace', 'swf.100011.000001_slice_005.tf', '-o', 'json')).join('')) as {
      hops: unknown[];
    };
    expect(records.trim().split('\r\n')).toHaveLength(1 + json.hops.length);
    expect(codeOf((await runCli(['trace', 'swf.1.000001.stf'], { folder })).stderr)).toBe('ARGUMENT_INVALID');
  });

  it('include a status of at most 24 lines, with errors grouped by cause and the verdict last', async () => {
    const lines = await table('status');
    expect(lines.length).toBeLessThanOrEqual(23);
    expect(lines[0]).toBe('stf_datataking-tester-0002');
    expect(lines.at(-1)).toMatch(
      /^stf_datataking-tester-0002: completed, \d+ slices failed permanently, health finished$/,
    );
    // Once, and with the number of all attempts, not to the last log lines.
    expect(lines.filter((line) => /^ {2}(failed|errors?) (?!.*(SLICES_FAILED|FAILURES_ON_ONE))/.test(line))).toEqual(
      [],
    );
    expect(lines.filter((line) => line.includes('bad geometry'))).toHaveLength(1);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /FAILURES_ON_ONE: 6 of 6 .* 2 slice numbers \(5, 7\) .* 6 × sh ended with exit code 3: bad geometry\.$/,
      ),
    );
  });

  it('refuse a value as the tool does, and suggest the nearest flag', async () => {
    const wrong = await runCli(['slices', '--status', 'broken'], { folder });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(codeOf(wrong.stderr)).toBe('ARGUMENT_INVALID');
    // Fields of rows and values are not flags.
    const unknown = await runCli(['slices', '--fields', 'nonsense'], { folder });
    expect(codeOf(unknown.stderr)).toBe('ARGUMENT_INVALID');
    expect(unknown.stderr.slice(30)).not.toContain('--');
    const nowhere = await runCli(['slices', '--assigned-worker', 'nobody/07'], { folder });
    // Only the store knows which workers there are.
    expect(nowhere).toMatchObject({ code: 0, stderr: expect.stringMatching(/^--assigned-worker "nobody\/07" /) });
    const mistyped = await runCli(['slices', '--statu', 'failed'], { folder });
    expect(mistyped.code).toBe(2);
    expect(mistyped.stderr).toMatch(/--status/);
  });

  it('show no character that could move a cursor or forge a line', async () => {
    const hostile = temporaryFolder();
    await runWorkflow(hostile, '--stf-count', '1');
    const store = await openStore(`${hostile}/swf.db`);
    await store.write((tx) =>
      tx.sql(`UPDATE app_logs SET message = 'a' || char(10) || 'b' || char(27) || '[2J' || char(8238) || 'c'`).run(),
    );
    store.close();
    const { stdout } = await runCli(['logs', '--limit', '1'], { folder: hostile });
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).toContain(String.raw`a\nb\u{1b}[2J\u{202e}c`);
  });

  it('with -f follow the log of one run until it ends, or of several until interrupted', async () => {
    const live = temporaryFolder();
    const run = startCli(['run', '--speed', '20', '--stf-count', '2000'], { folder: live });
    await run.saw(/start_run/);
    const following = startCli(['logs', '-f'], { folder: live });
    const all = startCli(['logs', '-f', '--start-time', '-1h'], { folder: live });
    for (const one of [following, all]) await one.saw(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC INFO /);
    await runCli(['stop', 'latest', '--reason', 'beam dump'], { folder: live });
    const { code, stdout } = await following.finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/the execution was terminated.*\n$/);
    await run.finished;
    const late = await runCli(['logs', '-f'], { folder: live });
    expect(late).toMatchObject({ code: 0, stdout: expect.stringMatching(/the execution was terminated/) });
    all.child.kill('SIGINT');
    expect((await all.finished).code).toBe(130);
  });

  it.skipIf(isMissing('script') || isMissing('stty')).each([
    { columns: 60, rows: 20, head: /^SLICE +STATUS +ERROR$/ },
    { columns: 80, rows: 24, head: /^SLICE +STATUS +(TOOK +)?ERROR$/ },
    {
      columns: 120,
      rows: 40,
      head: /^SLICE +STATUS +RETRIES +WORKER +TOOK +ERROR$/,
    },
  ])('fit a terminal of $columns columns, with the cause of failures', async ({ columns, rows, head }) => {
    const seen = runInTerminal(['slices', '--status', 'failed'], { columns, rows, folder });
    await seen.started.finished;
    const screen = await seen.rows();
    expect(screen[0]).toMatch(head);
    for (const line of screen) expect(line.length).toBeLessThanOrEqual(columns);
    expect(screen.slice(1, 3).join('\n')).toMatch(
      /_slice_007\.tf +failed .*sh ended with exit code 3:\s+bad geometry$/m,
    );
    // Nobody has named an execution, so the table does.
    expect(screen.join('')).toContain('of stf_datataking-tester-0002, the newest execution; "swf-mcp list"');
    for (const [args, cause] of [
      [['summarize', '--group-by', 'cause'], /^sh ended.*bad geometry +12 +12/],
      // The second line has the end of the message.
      [['logs', '--level', 'ERROR'], / ERROR .*slice .*(?:\n.*)?bad geometry\n/],
    ] as const) {
      const other = runInTerminal([...args], { columns, rows, folder });
      await other.started.finished;
      expect((await other.rows()).slice(1).join('\n')).toMatch(cause);
    }
  });
});

async function countOfMessages(folder: string): Promise<number> {
  const client = await connectStdio({ folder });
  const { total_count } = await ask(client, 'list_messages', { execution_id: 'latest', limit: 1 });
  return total_count as number;
}
