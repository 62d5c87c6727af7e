import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { commandGroups } from '../../src/commands/help/help.ts';
import { codeOf, expectErrors } from '../codes.ts';
import { cliPath, runCli, startProcess, temporaryFolder } from '../helpers.ts';
import { isMissing } from '../programs.ts';

describe('the command line', () => {
  it('prints a line per stage of a run, and its summary', async () => {
    const { code, stdout, stderr } = await runCli(['run', '--stf-count', '3', '--speed', 'max'], {
      folder: temporaryFolder(),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').map((line) => line.replace(/ store .*/, '…'));
    expect(lines.slice(0, 6)).toEqual([
      'execution stf_datataking-tester-0001, run 100010, speed max,…',
      'run_imminent: the agents are preparing',
      'start_run: physics',
      'end_run: 3 STF files',
      'workflow_ended: 45 of 45 TF slices were completed',
      'Run 100010, execution stf_datataking-tester-0001: completed',
    ]);
    expect(lines).toEqual(
      expect.arrayContaining([
        '├── STF files   3 of 3 announced, 3 ready',
        '├── TF samples  3 of 3',
        '├── TF slices   45 of 45: 45 completed, 0 failed, 100 % of the run',
        '├── messages    151',
        '└── next        swf-mcp status stf_datataking-tester-0001',
      ]),
    );
  });

  it('refuses wrong settings in one line, exits with 1, and creates no store', async () => {
    const errors: Record<string, string> = {};
    for (const args of [
      ['run', 'nonsense'],
      ['run', './no/such.toml'],
      ['run', '--set', 'fast_processing.stf_cuont=3'],
      ['run', '--set', 'fast_procesing.stf_count=3'],
      ['run', '--set', 'fast_processing.stf_count=many'],
      ['run', '--set', 'fast_processing.stf_count=2.5'],
      ['run', '--set', 'fast_processing.stf_sampling_rate=1.5'],
      ['run', '--broker', 'http://x:1', '--set', 'testbed.namespace=n'],
      ['run', '--broker', 'stomp://u:secret@x:1'],
      ['run', '--broker', 'env'],
      ['run', '--broker', 'stomp://127.0.0.1:1'],
      ['run', '--broker', 'stomp://127.0.0.1:1', '--speed', 'max', '--set', 'testbed.namespace=n'],
      ['run', '--set', 'nothing'],
      ['run', '--set', 'testbed.namespace='],
      ['run', '--set', 'agents.worker.enabled=false'],
      [
        'run',
        '--set',
        'daq_state_machine.stf_interval=0',
        '--set',
        'daq_state_machine.stf_generation_time=0',
        '--stf-count',
        '0',
      ],
    ] as const) {
      const folder = temporaryFolder();
      const { code, stdout, stderr } = await runCli([...args], { folder });
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      errors[args.join(' ')] = stderr;
      expect(existsSync(join(folder, 'swf.db'))).toBe(false);
    }
    await expectErrors('settings', errors);
  });

  it.each([{ SWF_USER: 'a/b' }, { SWF_LOG_LEVEL: 'LOUD' }])(
    'refuses the environment %j in one line',
    async (env: Record<string, string>) => {
      const { code, stderr } = await runCli(['run', '--speed', 'max'], { folder: temporaryFolder(), env });
      expect(code).toBe(1);
      expect(codeOf(stderr)).toBe('CONFIG_INVALID');
    },
  );

  it.each([
    [['run', '--speed', 'fast']],
    [['run', '--speed', '0']],
    [['run', '--stf-count', '-1']],
    [['run', '--stf-count']],
    [['run', '--no-such-flag']],
    [['run', 'one', 'two']],
    [['rnu']],
    [['call']],
    [['resume']],
    [['serve', 'what']],
    [['--nothing']],
    [['agent']],
    [['agent', 'workr', '--broker', 'stomp://127.0.0.1:1']],
    [['agent', 'fast_processing', '--broker', 'stomp://127.0.0.1:1']],
  ])('refuses wrong usage %j with an error, and exits with 2', async (args) => {
    const { code, stdout, stderr } = await runCli(args, { folder: temporaryFolder() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).not.toMatch(/\bat .*:\d+/);
  });

  it.each(['xx', '2026-13-01T00:00:00Z'])('refuses observe --until %s, and exits with 2', async (until) => {
    const folder = temporaryFolder();
    const { code, stderr } = await runCli(['observe', '--from', 'none.jsonl', `--until=${until}`], { folder });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`--until = "${until}" is not a time`),
    });
  });

  it.each(['2026-12-01 08:02:14 UTC', '2026-12-01T08:02:14Z', '-2h'])('takes %j as a time', async (until) => {
    const folder = temporaryFolder();
    const { stderr } = await runCli(['observe', '--from', 'none.jsonl', `--until=${until}`], { folder });
    expect(stderr).toMatch(/none\.jsonl/);
    expect(stderr).not.toContain('is not a time');
  });

  it('says at once why ready observer cannot read the store', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'text.db'), 'not a store\n'.repeat(1000));
    const { code, stderr } = await runCli(['ready', 'observer', '--wait', '3600', '--db', 'text.db'], { folder });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^STORE_\w+: .*text\.db/);
  });

  it('prints the warnings of the configuration before up starts agents or refuses to', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'other.toml'), '[agents.zzz]\nenabled = true\n');
    const { code, stderr } = await runCli(['up', './other.toml', '--broker', 'stomp://127.0.0.1:1'], { folder });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^WARNING agents\.zzz is not bundled.*\nCONFIG_INVALID: /);
  });

  it.each([
    [1, ['plan', '--as-played', 'latest', '--set', 'target_worker_count=x'], /give a number/],
    [2, ['unit', '--metrics', 'x'], /^ARGUMENT_INVALID: --metrics "x" is not an address/],
    [2, ['serve', '--http', '70000'], /^ARGUMENT_INVALID: --http "70000" is not an address/],
  ])('exits with %i for %j', async (expected, args, line) => {
    const { code, stdout, stderr } = await runCli(args, { folder: temporaryFolder() });
    expect({ code, stdout, stderr }).toEqual({ code: expected, stdout: '', stderr: expect.stringMatching(line) });
  });

  it('says which execution ids a command accepts', async () => {
    const { stderr } = await runCli(['resume'], { folder: temporaryFolder() });
    expect(stderr).toBe(
      `error: missing required argument 'EXECUTION_ID': give latest, or an id that "swf-mcp list" shows\n`,
    );
  });

  it.each([
    [['agent', 'data'], /^CONFIG_INVALID: a separate agent needs a broker/],
    [['agent', 'data', '--broker', 'stomp://127.0.0.1:1'], /^CONFIG_INVALID: testbed\.namespace/],
  ])('refuses %j and exits with 78, since a restart would not help', async (args, line) => {
    const { code, stderr } = await runCli(args, { folder: temporaryFolder() });
    expect({ code, stderr }).toMatchObject({ code: 78, stderr: expect.stringMatching(line) });
  });

  it('refuses to run over a broker if fast processing is disabled', async () => {
    const sets = ['testbed.namespace=n', 'agents.fast_processing.enabled=false'].flatMap((pair) => ['--set', pair]);
    const args = ['run', '--broker', 'stomp://127.0.0.1:1', ...sets];
    const { code, stderr } = await runCli(args, { folder: temporaryFolder() });
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^CONFIG_INVALID: agents\.fast_processing\.enabled = false: /),
    });
  });

  it('accepts --db before or after a command, and uses SWF_DB if --db is missing', async () => {
    const folder = temporaryFolder();
    const db = join(folder, 'other.db');
    const run = ['run', '--stf-count', '1', '--speed', 'max'];
    expect(await runCli([...run, '--db', db], { folder })).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'swf.db'))).toBe(false);
    const before = await runCli(['--db', db, 'status'], { folder });
    expect(before).toMatchObject({ code: 0, stdout: expect.stringContaining('stf_datataking-tester-0001') });
    expect(await runCli(['status'], { folder, env: { SWF_DB: db } })).toMatchObject({ code: 0 });
    expect(await runCli(['status'], { folder })).toMatchObject({ code: 1 });
  });

  it.each([['status'], ['run'], ['serve'], ['open'], ['doctor']])('refuses an empty --db for %s', async (command) => {
    const { code, stderr } = await runCli([command, '--db', ''], { folder: temporaryFolder() });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        "error: option '--db <file>' argument '' is invalid. Give the path of a store, or leave out --db to use the default one.\n",
    });
  });

  // Only root can run a program as another user.
  it.skipIf(process.getuid?.() !== 0 || isMissing('setpriv'))(
    'asks for a name and a store if the system does not know the user',
    async () => {
      const folder = temporaryFolder();
      const anybody = (args: string[], env: Record<string, string>) =>
        startProcess('setpriv', ['--reuid', '54321', '--clear-groups', process.execPath, cliPath, ...args], {
          folder,
          env,
        }).finished;
      expect(await anybody(['run', '--speed', 'max'], { SWF_USER: '' })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^CONFIG_INVALID: .*SWF_USER\n$/),
      });
      expect(await anybody(['run', '--speed', 'max'], {})).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^STORE_UNAVAILABLE: .*\n$/),
      });
    },
  );

  it('prints version and help', async () => {
    const folder = temporaryFolder();
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await runCli(['--version'], { folder })).toMatchObject({ code: 0, stdout: `${version}\n` });
    for (const args of [['--help'], ['run', '--help'], ['help', 'call']]) {
      const { code, stdout } = await runCli(args, { folder });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: swf-mcp/);
      expect(stdout).toContain('--db <file>');
    }
  });

  it('shows every command group in the help, and suggests the nearest command for an unknown word', async () => {
    const folder = temporaryFolder();
    const { stdout } = await runCli(['--help'], { folder });
    const headings = [...stdout.matchAll(/^([A-Z][a-z ]+:)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['Options:', ...Object.keys(commandGroups)]);
    expect(await runCli(['help', 'statu'], { folder })).toEqual({
      code: 2,
      signal: null,
      stdout: '',
      stderr: "error: unknown command or argument 'statu'; did you mean status? swf-mcp --help lists all commands\n",
    });
  });
});
