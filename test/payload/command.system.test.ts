import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { killedIn } from '../../src/payload/outputs.ts';
import { expectErrors } from '../codes.ts';
import {
  type Answer,
  askAll,
  cliPath,
  connectInProcess,
  runCli,
  runWorkflow,
  startCli,
  temporaryFolder,
} from '../helpers.ts';

/** A folder with a payload of these shell lines, and the settings that use it. */
function withPayload(script: string, settings: Record<string, string | number> = {}) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'payload.sh'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'payload.sh'), 0o755);
  const sets = {
    'worker.payload': '["./payload.sh", "{output_dir}"]',
    'worker.max_retries': 0,
    'worker.timeout_seconds': 30,
    'fast_processing.slices_per_sample': 3,
    ...settings,
  };
  const args = Object.entries(sets).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  return { folder, args: ['run', '--speed', 'max', '--json', '--stf-count', '1', ...args] };
}

async function slicesOf(folder: string): Promise<Answer[]> {
  return askAll(await connectInProcess(join(folder, 'swf.db')), 'list_tf_slices', { order: 'oldest' });
}

/** Processes whose command line has this word. */
function processesWith(word: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
      } catch {
        return false;
      }
    });
}

/** A duration that no other process sleeps, to identify the processes of a test. */
const uniqueSleep = (): string => `9${randomUUID().replaceAll(/\D/g, '').slice(0, 9)}`;

describe('a payload command', () => {
  it('receives its slice through placeholders and the environment, and receives no secrets', async () => {
    const { folder, args } = withPayload('');
    const payload = [
      'sh',
      '-c',
      'printf "%s\\n" "$@" > args.txt; env > env.txt; pwd > pwd.txt',
      'x',
      '{tf_path}',
      '{start}-{end}',
      '{tf_count}',
      '{slice_filename}',
      '{run_number}',
      '{output_dir}',
      '{unknown}',
    ];
    const { code, stderr } = await runCli([...args, '--set', `worker.payload=${JSON.stringify(payload)}`], {
      folder,
      env: { ACTIVEMQ_PASSWORD: 'secret', SWF_MCP_TOKEN: 'secret', PASSED_ON: 'yes' },
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /worker\.payload: \{unknown\} is not a placeholder and is left as it is; the placeholders are \{tf_path\}/,
    );
    const [slice] = await slicesOf(folder);
    const data = join(folder, 'swf.db.data', 'stf_datataking-tester-0001');
    const outputs = join(data, 'outputs', 'swf.100010.000001_slice_000', 'attempt_1');
    const words = readFileSync(join(outputs, 'args.txt'), 'utf8').trimEnd().split('\n');
    expect(words.slice(0, 5)).toEqual([
      join(data, 'swf.100010.000001_tf_001.tf'),
      `${slice?.['tf_first']}-${slice?.['tf_last']}`,
      '50',
      'swf.100010.000001_slice_000.tf',
      '100010',
    ]);
    expect(words[5]).toBe(readFileSync(join(outputs, 'pwd.txt'), 'utf8').trim());
    expect(words[6]).toBe('{unknown}');
    const environment = readFileSync(join(outputs, 'env.txt'), 'utf8');
    expect(environment).toMatch(/^TRACEPARENT=00-[0-9a-f]{32}-[0-9a-f]{16}-01$/m);
    for (const line of ['SWF_SLICE_ID=0', 'SWF_ATTEMPT=1', `SWF_TF_PATH=${words[0]}`, 'PASSED_ON=yes'])
      expect(environment.split('\n')).toContain(line);
    expect(environment).toMatch(/^SWF_WORKER_ID=worker-agent-tester-\d+\/01$/m);
    expect(environment).not.toMatch(/secret/);
  });

  it('produces outputs that are kept, and listed with size and checksum', async () => {
    const { folder, args } = withPayload('mkdir sub && echo "$SWF_SLICE_ID" > sub/id.txt && : > empty');
    expect((await runCli(args, { folder })).code).toBe(0);
    const slices = await slicesOf(folder);
    expect(slices).toHaveLength(3);
    for (const { slice_id, outputs, outputs_folder, exit_code } of slices) {
      const content = `${slice_id}\n`;
      const checksum = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
      expect(exit_code).toBe(0);
      expect(outputs).toEqual([
        { name: 'empty', size_bytes: 0, checksum: checksum('') },
        { name: 'sub/id.txt', size_bytes: content.length, checksum: checksum(content) },
      ]);
      expect(readFileSync(join(String(outputs_folder), 'sub/id.txt'), 'utf8')).toBe(content);
    }
    const { stdout } = await runCli(['trace', 'swf.100010.000001_slice_002.tf'], { folder });
    expect(stdout).toMatch(
      /^host \S+\nexit code 0\noutputs 2 in \/.+\/swf\.100010\.000001_slice_002\/attempt_1: empty, sub\/id\.txt$/m,
    );
    const root = join(folder, 'swf.db.data/stf_datataking-tester-0001/outputs');
    expect(readdirSync(root, { recursive: true }).filter((name) => String(name).includes('.part'))).toEqual([]);
  });

  it('has 50 of 1000 outputs listed and the rest counted', async () => {
    const { folder, args } = withPayload('for n in $(seq 1000); do : > $n; done');
    expect((await runCli(args, { folder })).code).toBe(0);
    const [slice] = await slicesOf(folder);
    expect(slice?.['outputs']).toHaveLength(50);
    expect(slice?.['outputs_omitted']).toBe(950);
  });

  const sleep = uniqueSleep();
  it.each([
    [
      'exit code 7',
      'echo one; echo "no geometry" >&2; exit 7',
      /payload\.sh ended with exit code 7 after .*last words: no geometry/,
    ],
    ['a crash', 'kill -SEGV $$', /payload\.sh was killed by SIGSEGV after/],
    ['a timeout', `sleep ${sleep}`, /still running after worker\.timeout_seconds = 0\.5 and was killed by SIGTERM/],
    [
      'a timeout, ignoring SIGTERM,',
      `trap '' TERM; sleep ${sleep} & wait; sleep ${sleep}`,
      /worker\.timeout_seconds = 0\.5 and was killed by SIGKILL, since SIGTERM did not end it/,
    ],
  ])('that ends with %s fails its slice with this cause, and leaves no process', async (_, script, cause) => {
    const { folder, args } = withPayload(script, { 'worker.timeout_seconds': 0.5 });
    expect((await runCli(args, { folder })).code).toBe(3);
    const slices = await slicesOf(folder);
    expect(slices.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    for (const { error } of slices) expect(error).toMatch(new RegExp(`^PAYLOAD_FAILED: .*${cause.source}`));
    expect(processesWith(sleep)).toEqual([]);
  });

  it('that cannot be started is refused before the run starts', async () => {
    const errors: Record<string, string> = {};
    for (const payload of ['["no-such-program"]', '["./no-such-file"]', '["./payload.txt"]', '["./folder"]']) {
      const { folder, args } = withPayload('', { 'worker.payload': payload });
      writeFileSync(join(folder, 'payload.txt'), 'no program');
      mkdirSync(join(folder, 'folder'));
      const { code, stderr } = await runCli(args, { folder });
      expect({ payload, code }).toEqual({ payload, code: 1 });
      errors[payload] = stderr;
      expect(existsSync(join(folder, 'swf.db'))).toBe(false);
    }
    for (const sets of [
      ['--set', 'worker.payload=["x"]', '--set', 'data.write_files=false'],
      ['--set', 'worker.payload=run.sh'],
      ['--set', 'worker.payload=[]'],
    ]) {
      const { code, stderr } = await runCli(['run', ...sets], { folder: temporaryFolder() });
      expect({ sets, code }).toEqual({ sets, code: 1 });
      errors[sets.join(' ')] = stderr;
    }
    await expectErrors('payloads', errors);
  });

  it('that disappears during the run fails each later slice with this cause', async () => {
    const { folder, args } = withPayload('rm -f "$0"', { 'fast_processing.target_worker_count': 1 });
    expect((await runCli(args, { folder })).code).toBe(3);
    const [first, ...others] = await slicesOf(folder);
    expect(first?.['status']).toBe('completed');
    for (const { error } of others)
      expect(error).toMatch(/payload\.sh cannot be started: the program does not exist \(ENOENT\)/);
  });

  it.each([
    ['in its process group, with its output open,', `sleep ${sleep} & exit 0`],
    ['in its own session', `setsid sleep ${sleep} & exit 0`],
  ])('that leaves a process behind %s succeeds immediately, and the process ends with the run', async (_, script) => {
    const { folder, args } = withPayload(script);
    const { code, stdout } = await runCli(args, { folder });
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Answer)['duration_seconds']).toBeLessThan(10);
    expect(processesWith(sleep)).toEqual([]);
  });

  it('that fails after flooding its output has only the last 4 KB kept', async () => {
    const { folder, args } = withPayload('yes "a line of the flood" | head -c 50000000; echo the end; exit 1');
    expect((await runCli(args, { folder })).code).toBe(3);
    const client = await connectInProcess(join(folder, 'swf.db'));
    for (const result of await askAll(client, 'list_messages', { message_type: 'slice_result' })) {
      const [whole] = await askAll(client, 'list_messages', { message_id: result['message_id'] });
      const { output_tail } = JSON.parse(whole?.['payload'] as string) as { output_tail: string };
      expect(output_tail).toHaveLength(4096);
      expect(output_tail.endsWith('the end\n')).toBe(true);
    }
    for (const { output_tail } of await slicesOf(folder)) expect(output_tail).toMatch(/the end\\n$/);
  });

  it.each([
    ['removes its output folder and crashes', 'rm -r "$SWF_OUTPUT_DIR"; kill -SEGV $$', /was killed by SIGSEGV/],
    ['removes its output folder', 'rm -r "$SWF_OUTPUT_DIR"', /the output folder .* cannot be used: ENOENT/],
    [
      'replaces its output folder with a link',
      'rm -r "$SWF_OUTPUT_DIR"; ln -s /etc "$SWF_OUTPUT_DIR"',
      /it is no longer a folder/,
    ],
    ['names an interpreter that does not exist', undefined, /the interpreter named in its first line does not exist/],
  ])('that %s fails its slice with this cause, and has no outputs listed', async (_, script, cause) => {
    const { folder, args } = withPayload(script ?? '');
    if (script === undefined) writeFileSync(join(folder, 'payload.sh'), '#!/no/such/interpreter\n');
    expect((await runCli(args, { folder })).code).toBe(3);
    for (const { error, outputs } of await slicesOf(folder)) {
      expect(error).toMatch(cause);
      expect(outputs).toBeUndefined();
    }
    const root = join(folder, 'swf.db.data/stf_datataking-tester-0001/outputs');
    expect(readdirSync(root, { recursive: true }).filter((name) => String(name).includes('attempt'))).toEqual([]);
    expect(existsSync('/etc/passwd')).toBe(true);
  });

  it('that writes special or oddly named files succeeds, and files that cannot be listed are left out', async () => {
    const { folder, args } = withPayload(
      `mkfifo pipe; ln -s /etc/passwd link; printf x > "two\nlines"; : > "$(printf '\\377')"; : > 'a b'`,
    );
    expect((await runCli(args, { folder })).code).toBe(0);
    for (const { outputs, outputs_omitted } of await slicesOf(folder)) {
      expect((outputs as Answer[]).map(({ name }) => name)).toEqual(['a b', String.raw`two\nlines`]);
      expect(outputs_omitted).toBe(1);
    }
  });

  it('that runs swf-mcp itself ends, along with its inner payloads, when the outer run is killed', async () => {
    const own = uniqueSleep();
    const inner = `${process.execPath} ${cliPath} run --db "$SWF_OUTPUT_DIR/inner.db" --speed max --stf-count 1 --set 'worker.payload=["sleep","${own}"]'`;
    const { folder, args } = withPayload(`unset SWF_DB; exec ${inner}`, { 'fast_processing.slices_per_sample': 1 });
    const run = startCli(args, { folder });
    await expect.poll(() => processesWith(own).length).toBeGreaterThan(0);
    run.child.kill('SIGKILL');
    await run.finished;
    await expect.poll(() => processesWith(own)).toEqual([]);
  });

  it('that fails once is retried in a fresh folder, and only the outputs of the last attempt are listed', async () => {
    const { folder, args } = withPayload('echo $SWF_ATTEMPT > attempt_$SWF_ATTEMPT.txt; [ $SWF_ATTEMPT = 2 ]', {
      'worker.max_retries': 3,
    });
    expect((await runCli(args, { folder })).code).toBe(0);
    for (const { retries, outputs } of await slicesOf(folder)) {
      expect(retries).toBe(1);
      expect((outputs as Answer[]).map(({ name }) => name)).toEqual(['attempt_2.txt']);
    }
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('that is running ends when its run gets %s', async (signal) => {
    const own = uniqueSleep();
    const { folder, args } = withPayload(`trap '' TERM; echo began >> "$(dirname "$0")/began"; sleep ${own}`, {
      'worker.timeout_seconds': 600,
    });
    const run = startCli(args, { folder });
    await expect.poll(() => existsSync(join(folder, 'began'))).toBe(true);
    await expect.poll(() => processesWith(own).length).toBeGreaterThan(0);
    run.child.kill(signal);
    const { code } = await run.finished;
    if (signal === 'SIGTERM') {
      expect(code).toBe(130);
      expect(processesWith(own)).toEqual([]);
    }
    await expect.poll(() => processesWith(own)).toEqual([]);
  });

  it('of a killed run is started again by resume, as the same attempt', async () => {
    const { folder, args } = withPayload('[ -e "$(dirname "$0")/go" ] || sleep 1000; echo done > done.txt');
    const run = startCli(args, { folder });
    const outputs = join(folder, 'swf.db.data/stf_datataking-tester-0001/outputs');
    await expect.poll(() => existsSync(outputs)).toBe(true);
    run.child.kill('SIGKILL');
    await run.finished;
    writeFileSync(join(folder, 'go'), '');
    expect((await runCli(['resume', 'latest'], { folder })).code).toBe(0);
    for (const slice of await slicesOf(folder))
      expect(slice).toMatchObject({ status: 'completed', retries: 0, outputs: [{ name: 'done.txt' }] });
    expect(readdirSync(outputs, { recursive: true }).filter((name) => String(name).includes('.part'))).toEqual([]);
  });
});

describe('a configured payload', () => {
  it('that is shipped with swf-mcp makes a histogram of each slice', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, 'histogram', '--stf-count', '1');
    const slices = await slicesOf(folder);
    expect(slices).toHaveLength(15);
    for (const { slice_filename, tf_first, tf_last, tf_count, outputs } of slices) {
      expect(outputs).toMatchObject([{ name: 'histogram.json' }]);
      const path = `swf.db.data/stf_datataking-tester-0001/outputs/${(slice_filename as string).slice(0, -3)}/attempt_1/histogram.json`;
      const histogram = JSON.parse(readFileSync(join(folder, path), 'utf8')) as Answer;
      expect(histogram).toMatchObject({ start: tf_first, end: tf_last, frames: tf_count, bytes: tf_count * 48 });
      expect((histogram['bins'] as number[]).reduce((sum, bin) => sum + bin)).toBe(tf_count * 48);
    }
  });

  it('resolves its paths against the folder of the configuration file', async () => {
    const { folder } = withPayload('');
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'elsewhere', 'p.sh'), '#!/bin/sh\ncat "$1" > copy.txt\n', { mode: 0o755 });
    writeFileSync(join(folder, 'elsewhere', 'word.txt'), 'a word');
    writeFileSync(
      join(folder, 'elsewhere', 'mine.toml'),
      '[testbed]\nnamespace = "mine"\n[worker]\npayload = ["./p.sh", "./word.txt"]\n',
    );
    await runWorkflow(folder, 'elsewhere/mine.toml', '--stf-count', '1');
    for (const { outputs } of await slicesOf(folder))
      expect(outputs).toMatchObject([{ name: 'copy.txt', size_bytes: 6 }]);
  });

  it('that kills its run costs its own slice one attempt per three kills, and other slices none', async () => {
    const kill = '[ "$SWF_SLICE_ID" != 2 ] || { sleep 0.2; kill -9 $PPID; }; sleep 0.4';
    const { folder, args } = withPayload(kill, { 'fast_processing.target_worker_count': 4, 'worker.max_retries': 1 });
    const kills: (string | null)[] = [];
    let ended = await startCli(args, { folder }).finished;
    while (ended.signal !== null && kills.length < 10) {
      kills.push(ended.signal);
      ended = await startCli(['resume', 'latest', '--json'], { folder }).finished;
    }
    // Two attempts.
    expect(kills).toHaveLength(6);
    expect(ended.code).toBe(3);
    const slices = await slicesOf(folder);
    expect(slices.map(({ retries, status }) => [retries, status])).toEqual(
      slices.map(({ slice_id }) => (slice_id === 2 ? [1, 'failed'] : [0, 'completed'])),
    );
    expect(slices.find(({ slice_id }) => slice_id === 2)?.['error']).toBe(
      'the process that drives the execution was killed three times while processing this slice',
    );
  });

  it('that replaces the output folder with a broken link fails its slices, and the errors name the folder', async () => {
    const { folder, args } = withPayload('cd ../../..; rm -rf outputs; ln -s nowhere outputs', {
      'fast_processing.target_worker_count': 1,
    });
    await runCli(args, { folder });
    const errors = (await slicesOf(folder)).map(({ error }) => error);
    expect(errors).toEqual(
      Array.from(errors, () => expect.stringMatching(/the output folder \S+ cannot be used: ENOENT/)),
    );
  });

  it('counts as killed once for each unfinished output folder of an attempt', () => {
    const folder = temporaryFolder();
    for (const name of ['attempt_1.1a2b3c4d.part', 'attempt_1', 'attempt_2.5e6f7a8b.part', 'attempt_10.9c0d1e2f.part'])
      mkdirSync(join(folder, name));
    expect([1, 2, 3].map((attempt) => killedIn(join(folder, `attempt_${attempt}`)))).toEqual([1, 1, 0]);
  });
});
