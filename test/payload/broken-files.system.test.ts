import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { runCliProcess, askAll, connectInProcess, runCli, startCli, temporaryFolder } from '../helpers.ts';

/** A folder with a payload of these shell lines. */
function withPayload(script: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'payload.sh'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'payload.sh'), 0o755);
  return folder;
}

const settings = (...sets: string[]): string[] => sets.flatMap((set) => ['--set', set]);
const payload = settings(
  'worker.payload=["./payload.sh"]',
  'worker.max_retries=0',
  'fast_processing.slices_per_sample=3',
);

describe('a pipe, device, socket or folder in place of a data file', () => {
  it.each([
    ['a pipe', 'rm -f "$SWF_TF_PATH"; mkfifo "$SWF_TF_PATH"'],
    ['a device', 'rm -f "$SWF_TF_PATH"; ln -s /dev/zero "$SWF_TF_PATH"'],
    [
      'a socket',
      'rm -f "$SWF_TF_PATH"; python3 -c "import socket,os; s=socket.socket(socket.AF_UNIX); os.chdir(os.path.dirname(os.environ[\'SWF_TF_PATH\'])); s.bind(os.path.basename(os.environ[\'SWF_TF_PATH\']))"',
    ],
    ['a folder', 'rm -rf "$SWF_TF_PATH"; mkdir "$SWF_TF_PATH"'],
  ])('is reported by check and verify_files, which do not wait for it: %s', async (_, script) => {
    const folder = withPayload(`[ "$SWF_SLICE_ID" != 2 ] || { ${script}; }`);
    const run = [
      'run',
      '--speed',
      'max',
      '--stf-count',
      '1',
      ...payload,
      '--set',
      'fast_processing.target_worker_count=1',
    ];
    await runCli(run, { folder });
    const check = await runCli(['check'], { folder });
    expect(check).toMatchObject({ code: 1, stderr: '' });
    expect(check.stdout).toMatch(/_tf_001\.tf (is not a regular file|is not in the folder of its execution)/);
    const { stdout } = await runCli(['call', 'verify_files', '{"execution_id":"latest"}'], { folder });
    expect(JSON.parse(stdout)).toMatchObject({ changed: [{ problem: expect.stringMatching(/_tf_001\.tf is no/) }] });
  });

  it('fails the slices that need it, is named in the error, and does not delay the end of the run', async () => {
    const folder = temporaryFolder();
    // The placeholder reads its slice; a pipe takes the place of its file while it waits.
    const run = startCli(
      [
        'run',
        '--speed',
        '20',
        '--stf-count',
        '20',
        ...settings(
          'worker.max_retries=0',
          'fast_processing.target_worker_count=1',
          'fast_processing.slice_processing_time=10',
          'daq_state_machine.tf_per_stf=100',
        ),
      ],
      { folder },
    );
    await run.saw(/start_run/);
    const data = join(folder, 'swf.db.data', 'stf_datataking-tester-0001');
    const sample = () => readdirSync(data).find((name) => name.endsWith('_tf_001.tf'));
    while (sample() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    execFileSync('sh', ['-c', 'mkfifo "$0.pipe" && mv "$0.pipe" "$0"', join(data, sample() ?? '')]);
    const client = await connectInProcess(join(folder, 'swf.db'));
    let failed = [] as { error: string }[];
    while (failed.length === 0) failed = (await askAll(client, 'list_tf_slices', { status: 'failed' })) as never;
    for (const { error } of failed) expect(error).toMatch(/_tf_001\.tf is not a regular file/);
    const asked = performance.now();
    run.child.kill('SIGTERM');
    expect(await run.finished).toMatchObject({ code: 130 });
    expect(performance.now() - asked).toBeLessThan(25_000);
  });
});

describe('the outputs of a payload', () => {
  it('are listed up to a limit and counted beyond it: long names, deep folders, 110,000 files', async () => {
    const folder = withPayload(`
case "$SWF_SLICE_ID" in
  0) printf x > "$(printf 'n%.0s' $(seq 255))"; for n in $(seq 80); do mkdir d && cd d; done; printf x > deepest ;;
  1) seq 110000 | xargs touch ;;
  2) ln -s /etc outside; mkfifo pipe; printf x > fine ;;
esac`);
    const run = await runCli(['run', '--speed', 'max', '--stf-count', '1', '--json', ...payload], { folder });
    expect(run).toMatchObject({ code: 0 });
    const slices = await askAll(await connectInProcess(join(folder, 'swf.db')), 'list_tf_slices', {
      order: 'oldest',
    });
    expect(slices.map(({ outputs }) => (outputs as object[] | undefined)?.length)).toEqual([1, 50, 1]);
    expect(slices[1]).toMatchObject({ status: 'completed', outputs_omitted: 99_950 });
    expect(slices[2]).toMatchObject({ outputs: [{ name: 'fine', size_bytes: 1 }] });
    const names = readdirSync(join(folder, 'swf.db.data', 'stf_datataking-tester-0001', 'outputs'), {
      recursive: false,
    });
    expect(names).toHaveLength(3);
  });
});

describe('a process whose disk never answers', () => {
  it('still ends, if need be by sending itself SIGKILL', async () => {
    const folder = mkdtempSync(join(temporaryFolder(), 'x'));
    // Holds a thread of the process for ever, as an open on a disk that hangs does.
    const hung = join(folder, 'hung.mjs');
    writeFileSync(
      hung,
      `import { open } from 'node:fs'; import { execFileSync } from 'node:child_process';
       execFileSync('mkfifo', [${JSON.stringify(join(folder, 'pipe'))}]); open(${JSON.stringify(join(folder, 'pipe'))}, 'r', () => {});`,
    );
    const run = await runCliProcess(['run', '--speed', 'max', '--stf-count', '1', '--json'], {
      folder,
      env: { NODE_OPTIONS: `--import=file://${hung}` },
    });
    expect(run.signal).toBe('SIGKILL');
    // Its work and its output are complete.
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'completed', slices_completed: 15 });
  });
});
