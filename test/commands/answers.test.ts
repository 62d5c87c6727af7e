import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { faultyPayload } from '../../faults/payload.ts';
import { examples } from '../../src/commands/help/help.ts';
import { runCli, runWorkflow, startCli, temporaryFolder } from '../helpers.ts';
import { isMissing } from '../programs.ts';
import { runInTerminal } from '../terminal.ts';

describe('swf-mcp summarize', () => {
  it('prints groups as a table with the totals last, or as CSV or JSON', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const { stdout } = await runCli(['summarize'], { folder });
    expect(stdout).toMatch(/^STATUS +COUNT +FAILED +RETRIES +MEAN +P50 +P95 +LONGEST\ncompleted +30 +0 +0 /);
    expect(stdout).toMatch(/\nall slices +30 +0 +0 /);
    const csv = await runCli(['summarize', 'messages', '--group-by', 'message_type', '-o', 'csv'], { folder });
    expect(csv.stdout).toMatch(/^message_type,count,failed,retries,bytes,seconds_mean,.*\r\nslice,30,/);
    const json = await runCli(['summarize', 'logs', '-o', 'json'], { folder });
    expect(JSON.parse(json.stdout)).toMatchObject({ what: 'logs', groups: expect.any(Array) });
    expect(await runCli(['summarize', 'nothing'], { folder })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^ARGUMENT_INVALID: --what "nothing"/),
    });
  });
});

it.each([
  [['report', '--since', '-1h'], /^# Shift report/],
  [['summarize', 'slices'], /completed/],
  [['trace', 'swf.100010.000001_slice_001.tf'], /^TF slice /],
])('%j answers about an earlier moment', async (words, answer) => {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '1');
  const { code, stdout, stderr } = await runCli([...words, '--as-of', '-0s'], { folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(answer);
});

describe('swf-mcp report and plan', () => {
  it('print a report of one execution or of a period, and a readable plan', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    expect((await runCli(['report'], { folder })).stdout).toMatch(/^# stf_datataking-tester-0001, run 100010\n/);
    expect((await runCli(['report', '--since', '-1h'], { folder })).stdout).toMatch(/^# Shift report/);
    expect((await runCli(['completion', 'words', '--', 'stop', 'stf'], { folder })).stdout).toBe(
      'stf_datataking-tester-0001\n',
    );
    const { stdout } = await runCli(['plan', '--set', 'fast_processing.target_worker_count=100'], { folder });
    expect(stdout).toMatch(/^TF slices +150$/m);
    expect(stdout).toMatch(/^workers +100, busy \d+ % of the time; 150 would keep up; a slice waits up to \d+ s/m);
    const { stdout: json } = await runCli(['plan', '--json'], { folder });
    expect(JSON.parse(json)).toMatchObject({ stf_files: 10, slices: 150 });
  });
});

describe('swf-mcp status', () => {
  it('without an id shows the running executions, or the newest if none is running; --all --json prints an array', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    expect((await runCli(['status'], { folder })).stdout).toMatch(/^stf_datataking-tester-0001: completed/m);
    const runs = ['a', 'b'].map((namespace) =>
      startCli(['run', '--speed', '5', '--set', `testbed.namespace=${namespace}`], { folder }),
    );
    for (const run of runs) await run.saw(/run_imminent/);
    const { stdout } = await runCli(['status'], { folder });
    expect(stdout.match(/^stf_datataking-tester-000\d: running/gm)).toHaveLength(2);
    const all = await runCli(['status', '--all', '--json'], { folder });
    expect(JSON.parse(all.stdout)).toMatchObject([{ status: 'running' }, { status: 'running' }]);
    const one = await runCli(['status', '--json'], { folder });
    expect(JSON.parse(one.stdout)).toMatchObject({ status: 'running' });
    expect((await runCli(['status', '--all', 'latest'], { folder })).code).toBe(2);
    for (const run of runs) run.child.kill('SIGINT');
    await Promise.all(runs.map((run) => run.finished));
  });
});

/** A program that completes "stop t" with two words, "report --html" with files, and nothing else. */
function standIn(folder: string): string {
  const program = join(folder, 'swf-mcp');
  const script = `#!/bin/sh
case "$*" in
  "completion words -- --db = x.db stop t" | "completion words -- --db=x.db stop t" | "completion words -- --db x.db stop t")
    printf 'tester-0002\tan execution\ntester-0001\n' ;;
  "completion words -- report --html "*) echo :files ;;
  "completion words -- slices --status=f") echo --status=failed ;;
esac
`;
  writeFileSync(program, script, { mode: 0o700 });
  return program;
}

describe('swf-mcp completion', () => {
  it('completes commands, flags, flag values, and names from the store', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const db = join(folder, 'swf.db');
    const id = 'stf_datataking-tester-0001';
    const completed = async (...words: string[]): Promise<string[]> => {
      const { stdout } = await runCli(['completion', 'words', '--', ...words], { folder, env: { HOME: folder } });
      return stdout === ''
        ? []
        : stdout
            .trimEnd()
            .split('\n')
            .map((line) => line.replace(/\t.*/, ''));
    };
    for (const [line, words] of [
      [['summ'], ['summarize']],
      [['slices', '--status', 'f'], ['failed']],
      // Bash makes three words of a flag and its value, or two before the value begins.
      [['slices', '--status', '=', 'f'], ['failed']],
      [['slices', '--status=f'], ['--status=failed']],
      [
        ['export', 'latest', '--format', '='],
        ['csv', 'jsonl', 'parquet'],
      ],
      [['--db', '='], [':files']],
      [['--db='], [':files']],
      [['status', 'l'], ['latest']],
      [['stop', 'stf'], [id]],
      [['--db', db, 'stop', 'stf'], [id]],
      [['stop', '--db', db, 'stf'], [id]],
      [['--db', '=', '"~/swf".d\\b', 'stop', 'stf'], [id]],
      [['--db=~/swf.db', 'stop', 'stf'], [id]],
      [['--db', join(folder, 'none.db'), 'stop', 'stf'], []],
      [['--db', 'sw'], [':files']],
      [['plan', '--as-played', 'stf'], [id]],
      [['slices', '--execution-id', 'stf'], [id]],
      [['run', 'stf'], []],
      [['alarms', 'se'], ['seen']],
      [['trace', 'swf.100010.000001.stf'], ['swf.100010.000001.stf']],
      [['note', 'n'], ['none']],
      [
        ['export', 'latest', '--format', ''],
        ['csv', 'jsonl', 'parquet'],
      ],
      [['summarize', 'st'], ['stf_files']],
      [['call', 'get_w'], ['get_workflow_monitor']],
      [['run', 'hist'], ['histogram_default']],
      [['run', '--speed', ''], ['max']],
      // For a flag that takes free text nothing is suggested, and no file either.
      [['logs', '--search', 'c'], []],
      [['report', '--html', 'c'], [':files']],
    ] as const)
      expect([line, await completed(...line)]).toEqual([line, words]);
    expect(await completed('slices', '--ord')).toEqual(expect.arrayContaining(['--order', '--order-by']));
    // Every command of the help is there.
    const { stdout: help } = await runCli(['--help'], { folder });
    const commands = [...help.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name);
    expect(await completed('')).toEqual(expect.arrayContaining(commands));
  });

  it.skipIf(isMissing('bash')).each([
    [
      ['--db', '=', 'x.db', 'stop', 't'],
      ['tester-0002', 'tester-0001'],
    ],
    [['stop', 'x'], ['']],
    [['report', '--html', './swf-m'], ['./swf-mcp']],
    [
      ['report', '--html', '='],
      ['script.bash', 'swf-mcp'],
    ],
  ])('makes bash complete %j', async (words, completed) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'script.bash'), (await runCli(['completion', 'bash'], { folder })).stdout);
    const script =
      'source ./script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _swf_mcp; printf "%s\\n" "${COMPREPLY[@]}"';
    const args = ['-c', script, 'bash', standIn(folder), ...words];
    const stdout = execFileSync('bash', args, { cwd: folder, encoding: 'utf8' });
    expect(stdout.replace(/\n$/, '').split('\n').toSorted()).toEqual([...completed].toSorted());
  });

  it.skipIf(isMissing('fish')).each([
    [
      ['--db', 'x.db', 'stop', 't'],
      ['tester-0001', 'tester-0002'],
    ],
    [
      ['--db=x.db', 'stop', 't'],
      ['tester-0001', 'tester-0002'],
    ],
    [['stop', 'x'], []],
    [['report', '--html', './swf-m'], ['./swf-mcp']],
    [['slices', '--status=f'], ['--status=failed']],
  ])('makes fish complete %j', async (words, completed) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'script.fish'), (await runCli(['completion', 'fish'], { folder })).stdout);
    standIn(folder);
    for (const program of ['swf-mcp', '~/swf-mcp']) {
      const line = `source script.fish; complete -C "${program} ${words.join(' ')}"; true`;
      const env = { ...process.env, HOME: folder, PATH: `${folder}:${process.env['PATH']}` };
      const stdout = execFileSync('fish', ['--no-config', '-c', line], { cwd: folder, env, encoding: 'utf8' });
      expect([...stdout.matchAll(/^[^\t\n]+/gm)].map(([word]) => word).toSorted()).toEqual(completed);
    }
  });

  it.skipIf(isMissing('zsh'))('makes zsh complete file names, and words with their descriptions', async () => {
    const folder = temporaryFolder();
    const { stdout } = await runCli(['completion', 'zsh'], { folder });
    writeFileSync(join(folder, 'script.zsh'), stdout);
    const program = standIn(folder);
    const completed = (...words: string[]): string => {
      const stubs =
        'compdef() { : }; compset() { echo $2 }; _files() { echo files }; _describe() { print -l -- $found }';
      const script = `${stubs}; source ./script.zsh; words=("$@"); CURRENT=$#; _swf_mcp`;
      return execFileSync('zsh', ['-f', '-c', script, 'zsh', program, ...words], { cwd: folder, encoding: 'utf8' });
    };
    expect(completed('--db', 'x.db', 'stop', 't')).toBe('tester-0002:an execution\ntester-0001\n');
    expect(completed('report', '--html', 'x')).toBe('--*=\nfiles\n');
  });
});

describe('the help', () => {
  it('fits 80 columns, has examples that the commands accept, and describes the tools', async () => {
    const folder = temporaryFolder();
    const { stdout: help } = await runCli(['--help'], { folder });
    const tooWide = (text: string): string[] => text.split('\n').filter((line) => line.length > 80);
    expect(tooWide(help)).toEqual([]);
    for (const [name, lines] of Object.entries(examples)) {
      expect(help).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
      const { stdout: own } = await runCli([name, '--help'], { folder });
      expect(own).toContain(lines[0]?.split('  ')[0]);
      expect(tooWide(own)).toEqual([]);
      for (const line of lines) {
        // Only the usage is checked: nothing is run.
        const words = (line.split(/ {2,}|[>|]/)[0] ?? '').trim().split(' ');
        const { code } = await runCli([...words, '--help'], { folder });
        expect({ line, code }).toEqual({ line, code: 0 });
      }
    }
    const { stdout } = await runCli(['tools'], { folder });
    expect(stdout).toMatch(/^summarize +Count and sum$/m);
    expect((await runCli(['tools', 'plan_run'], { folder })).stdout).toMatch(
      /^target_worker_count +integer +Worker slots$/m,
    );
  });
});

describe('--notify', () => {
  const teller = (folder: string, script: string): string => {
    const path = join(folder, 'tell.sh');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it('runs a program when the first slice fails for good, and when the run ends', async () => {
    const folder = temporaryFolder();
    const told = join(folder, 'told');
    const program = teller(folder, `echo "$SWF_EVENT $SWF_EXECUTION_ID $SWF_STATUS" >> '${told}'`);
    const args = ['run', '--speed', 'max', '--stf-count', '3', '--notify', program, ...faultyPayload(3)];
    const { code } = await runCli(args, { folder });
    expect(code).toBe(3);
    expect(readFileSync(told, 'utf8').trim().split('\n')).toEqual([
      expect.stringMatching(/^first_failure stf_datataking-tester-0001 (running|completed)$/),
      'ended stf_datataking-tester-0001 completed',
    ]);
  });

  it('warns about a failing program without changing the exit code, and refuses a missing one', async () => {
    const folder = temporaryFolder();
    const program = teller(folder, 'exit 7');
    const { code, stderr } = await runCli(['run', '--speed', 'max', '--stf-count', '1', '--notify', program], {
      folder,
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^WARNING .*tell\.sh, run for ended, ended with 7$/m);
    const { code: refused, stderr: why } = await runCli(['run', '--notify', './nothing'], { folder });
    expect({ refused, why }).toEqual({
      refused: 1,
      why: expect.stringMatching(/^ARGUMENT_INVALID: --notify \.\/nothing cannot be run \(/),
    });
    expect((await runCli(['status', '--notify', program], { folder })).code).toBe(2);
  });
});

describe.skipIf(isMissing('script') || isMissing('stty'))('keys in a terminal', () => {
  it.each([
    [60, 20],
    [80, 24],
    [120, 40],
  ])('pause, continue and stop a run, and show the answer on a terminal of %i x %i', async (columns, rows) => {
    const folder = temporaryFolder();
    const program = join(folder, 'tell.sh');
    // It keeps the process of the run alive for a while.
    writeFileSync(program, '#!/bin/sh\nsleep 1\n', { mode: 0o755 });
    const seen = runInTerminal(['run', '--speed', '2', '--notify', program], { columns, rows, folder });
    const simulated: number[] = [];
    const look = async (): Promise<string> => {
      const screen = (await seen.rows()).join('\n');
      const [, seconds] = / simulated (\d+) s\b/.exec(screen) ?? [];
      if (seconds !== undefined) simulated.push(Number(seconds));
      return screen;
    };
    const shows = async (pattern: RegExp): Promise<string> => {
      await expect.poll(look).toMatch(pattern);
      return look();
    };
    const press = (key: string): void => void seen.started.child.stdin?.write(key);
    await shows(/p pause {2}c continue {2}q stop {2}\? help/);
    await shows(/simulated \d+ s/);
    press('?');
    await shows(/p: pause \(slices in progress finish\)/);
    press('p');
    const paused = await shows(/pause: it is paused/);
    for (const line of paused.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    await shows(/paused/);
    press('c');
    await shows(/continue: it continues/);
    press('q');
    await shows(/stop the execution\? y\/N/);
    press('n');
    await shows(/p pause {2}c continue/);
    press('q');
    await shows(/y\/N/);
    press('y');
    expect((await seen.started.finished).code).toBe(4);
    const end = (await seen.rows()).join('\n');
    expect(end).toMatch(/terminated/);
    expect(end).not.toMatch(/stop: it is stopped/);
    // Simulated time never goes back, whatever is shown.
    expect(simulated.length).toBeGreaterThan(5);
    expect(simulated).toEqual(simulated.toSorted((a, b) => a - b));
  });

  it('end status --watch (q or Ctrl-C), but not the run', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--speed', '2'], { folder });
    await run.saw(/run_imminent/);
    for (const key of ['q', '\u0003']) {
      const seen = runInTerminal(['status', '--watch'], { columns: 80, rows: 24, folder });
      await expect.poll(async () => (await seen.rows()).join('\n')).toMatch(/q leave/);
      seen.started.child.stdin?.write(key);
      expect((await seen.started.finished).code).toBe(130);
    }
    expect((await runCli(['status'], { folder })).stdout).toMatch(/: running/);
    run.child.kill('SIGINT');
    await run.finished;
  });

  it('confirm a tool call that changes something, unless --yes is given', async () => {
    const folder = temporaryFolder();
    const args = ['call', 'start_workflow', 'stf_count=1', 'speed=max'];
    const seen = runInTerminal(args, { columns: 100, rows: 24, folder });
    await expect.poll(async () => (await seen.rows()).join('\n')).toMatch(/continue\? y\/N/);
    seen.started.child.stdin?.write('n\r');
    expect((await seen.started.finished).code).toBe(1);
    expect((await seen.rows()).join('\n')).toMatch(/nothing was done/);
    const yes = runInTerminal([...args, '--yes'], { columns: 100, rows: 24, folder });
    expect((await yes.started.finished).code).toBe(0);
  });
});
