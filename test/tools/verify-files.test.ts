import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import {
  type Answer,
  ask,
  connectInProcess,
  makeRunningStore,
  refusal,
  runCli,
  runWorkflow,
  temporaryFolder,
} from '../helpers.ts';
import { clientOf, sayFirstSample, slice, stf, tf } from './asking.ts';

describe('verify_files', () => {
  it('reports the files that are missing or changed, with sizes and checksums, and no others', async () => {
    const folder = temporaryFolder();
    const { execution_id } = await runWorkflow(folder, '--stf-count', '3');
    const files = join(folder, 'swf.db.data', execution_id as string);
    const client = await clientOf(folder);
    expect(await ask(client, 'verify_files', { execution_id: 'latest' })).toMatchObject({
      checked: 6,
      missing_count: 0,
      changed_count: 0,
      unreachable_count: 0,
    });
    rmSync(join(files, stf(1)));
    appendFileSync(join(files, stf(2)), 'x');
    const changed = readFileSync(join(files, stf(3)));
    changed[100] = 255 - (changed[100] ?? 0);
    writeFileSync(join(files, stf(3)), changed);
    writeFileSync(join(files, tf(3)), 'short');
    const found = await ask(client, 'verify_files', { execution_id: 'latest' });
    expect(found['missing']).toMatchObject([{ name: stf(1), expected_bytes: 64_000 }]);
    expect(found['changed']).toMatchObject([
      { name: stf(2), expected_bytes: 64_000, found_bytes: 64_001 },
      { name: stf(3), expected_bytes: 64_000, found_checksum: expect.stringMatching(/^sha256:/) },
      { name: tf(3), found_bytes: 5 },
    ]);
    expect(await ask(client, 'verify_files', { execution_id: 'latest', stf_filename: stf(3) })).toMatchObject({
      checked: 2,
      missing: [],
      changed_count: 2,
    });
    expect((await runCli(['check'], { folder })).stdout).toMatch(/fail .*swf\.100010\.000001\.stf is missing/);
  });

  it('reports files as unreachable, not missing, if this host has no data folder', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    renameSync(join(folder, 'swf.db.data'), join(folder, 'elsewhere'));
    const client = await clientOf(folder);
    expect(await ask(client, 'verify_files', { execution_id: 'latest' })).toMatchObject({
      checked: 4,
      missing_count: 0,
      unreachable_count: 4,
      note: expect.stringMatching(/^4 of \d+ files cannot be read from here, so this call does not show/),
      unreachable: expect.arrayContaining([
        expect.objectContaining({
          problem: expect.stringMatching(/there is no folder .*swf\.db\.data\/stf_datataking-tester-0001 here$/),
        }),
      ]),
    });
  });

  it('reports files as unreachable, not missing, if the folder of the execution is gone', async () => {
    const folder = temporaryFolder();
    const { execution_id } = await runWorkflow(folder, '--stf-count', '1');
    rmSync(join(folder, 'swf.db.data', execution_id as string), { recursive: true });
    const client = await clientOf(folder);
    expect(await ask(client, 'verify_files', { execution_id: 'latest' })).toMatchObject({
      checked: 2,
      missing_count: 0,
      unreachable_count: 2,
    });
    expect((await runCli(['check'], { folder })).stdout).toMatch(/there is no folder .*swf\.db\.data\/stf_datataking-/);
  });

  it('says that it checked nothing if an STF file belongs to another execution', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    await runWorkflow(folder, '--stf-count', '1');
    const asked = { execution_id: 'latest', stf_filename: stf(1) };
    expect(await ask(await clientOf(folder), 'verify_files', asked)).toMatchObject({
      checked: 0,
      note: `${stf(1)} belongs to stf_datataking-tester-0001, not to stf_datataking-tester-0002: nothing was checked`,
    });
  });

  it('checks the outputs of payloads page by page, each file once', async () => {
    const folder = temporaryFolder();
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i > "$SWF_OUTPUT_DIR/$i.txt"; done';
    await runWorkflow(
      folder,
      '--stf-count',
      '18',
      '--set',
      `worker.payload=["/bin/sh","-c",${JSON.stringify(script)}]`,
    );
    const client = await clientOf(folder);
    let cursor: string | undefined;
    let checked = 0;
    do {
      const page: Answer = await ask(client, 'verify_files', {
        execution_id: 'latest',
        ...(cursor === undefined ? {} : { cursor }),
      });
      checked += page['checked'] as number;
      cursor = page['next_cursor'] as string | undefined;
      expect(page).toMatchObject({ missing_count: 0, changed_count: 0, unreachable_count: 0 });
    } while (cursor !== undefined);
    expect(checked).toBe(18 * 2 + 18 * 15 * 10);
    expect(codeOf(await refusal(client, 'verify_files', { execution_id: 'latest', cursor: 'abc' }))).toBe(
      'CURSOR_INVALID',
    );
  });

  it('reads nothing outside the folder, whatever a message names, and reports an unknown STF file', async () => {
    const made = await makeRunningStore({ data: { dir: temporaryFolder(), write_files: true } });
    await sayFirstSample(made);
    const of = { slice_id: 0, slice_filename: slice(1), tf_filename: tf(1), attempt: 1 };
    await made.say('slice', { ...of, stf_filename: stf(1), start: 0, end: 0, tf_count: 1 });
    const outputs = Array.from({ length: 100 }, (_, n) => ({
      name: n === 0 ? '../../../../../../../../etc/passwd' : `${n}.txt`,
      size_bytes: 1,
      checksum: 'sha256:0',
    }));
    await made.say('slice_result', { ...of, worker_id: 'w/1', hostname: 'h', state: 'done', outputs });
    const client = await connectInProcess(made.path);
    const found = await ask(client, 'verify_files', { execution_id: 'latest' });
    expect(found['checked']).toBe(100);
    expect(JSON.stringify(found)).not.toMatch(/found_(bytes|checksum)/);
    expect((await ask(client, 'verify_files', { execution_id: 'latest', stf_filename: 'nosuch.stf' }))['note']).toMatch(
      /stf_filename "nosuch.stf" was not found/,
    );
  });

  it('reports a file that is not a regular file as changed, and does not wait for it', async () => {
    const folder = temporaryFolder();
    const { execution_id } = await runWorkflow(folder, '--stf-count', '1');
    const files = join(folder, 'swf.db.data', execution_id as string);
    rmSync(join(files, stf(1)));
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [join(files, stf(1))]);
    const client = await clientOf(folder);
    expect(await ask(client, 'verify_files', { execution_id: 'latest' })).toMatchObject({
      changed: [{ name: stf(1), problem: `${stf(1)} is not a regular file` }],
    });
    expect(readdirSync(files)).toContain(stf(1));
  });
});
