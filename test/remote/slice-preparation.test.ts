import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { OpenSlice } from '../../src/agents/ports.ts';
import type { SliceWork, Unfit } from '../../src/agents/slice-worker.ts';
import { executionParamsSchema, workflowParamsOf } from '../../src/domain/params.ts';
import { noDataFiles } from '../../src/files/data-files.ts';
import { SwfError } from '../../src/lib/errors.ts';
import { payloadNameOf } from '../../src/payload/payload-name.ts';
import { temporaryFolder } from '../folder.ts';
import { pass } from '../still-time.ts';
import { stateOf } from './line.ts';
import { file_url, tf_filename, worker, type Worker } from './slice-preparation-setup.ts';

const open: OpenSlice = {
  slice_id: 0,
  slice_filename: 'swf.7.000001_slice_000.tf',
  tf_first: 0,
  tf_last: 0,
  tf_count: 1,
  tf_filename,
  stf_filename: 'swf.7.000001.stf',
  attempt: 1,
};
const by = { worker_id: 'w/1', signal: new AbortController().signal };

/** A payload program, by default one that does nothing and succeeds. */
function program(folder = temporaryFolder(), text = '#!/bin/sh\nexit 0\n'): string {
  const path = join(folder, 'payload.sh');
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

const nameOf = (path: string) => payloadNameOf([path], { name: undefined, path: undefined });

/** Seconds that a slice takes. */
async function secondsOf(prepared: SliceWork | Unfit): Promise<number> {
  let seconds = -1;
  const began = performance.now();
  void (prepared as SliceWork).run(open, by).then(() => (seconds = (performance.now() - began) / 1000));
  await pass(60, 0.5);
  return seconds;
}

describe('the placeholder', () => {
  const recorded = (speed: number | 'max') =>
    stateOf({
      workflow_params: {
        ...workflowParamsOf(executionParamsSchema.parse({ fast_processing: { slice_processing_time: 8 } })),
        speed,
      },
    });

  it.each<[string, object, number | 'max' | undefined, number]>([
    ['from the slice', { slice_processing_time: 20, speed: 2 }, 4, 10],
    ['from its execution if the slice has none', {}, 4, 2],
    ['in wall-clock seconds if its execution runs at maximum speed', {}, 'max', 8],
    ['from the configuration of its host if nothing else is known', {}, undefined, 30],
  ])('takes its processing time %s', async (_, slice, speed, seconds) => {
    const { prepare, views } = worker({}, { slice_processing_time: 30 });
    if (speed !== undefined) views.hear(recorded(speed));
    expect(await secondsOf(await prepare(slice))).toBe(seconds);
  });

  it('reads frames of the stated length, fails the slice if one is damaged, and returns it if the disk fails', async () => {
    const { prepare, reach, kinds } = worker();
    const lengths: number[] = [];
    const folder = temporaryFolder();
    writeFileSync(join(folder, tf_filename), 'x');
    let error: Error = new Error('a frame is damaged');
    const files = {
      ...noDataFiles,
      verify: (_: string, { frameBytes }: { frameBytes: number }) => {
        lengths.push(frameBytes);
        return Promise.reject(error);
      },
    };
    reach.found = { files, folder };
    const run = async (more: object) => ((await prepare(more)) as SliceWork).run(open, by);
    expect(await run({ tf_size_bytes: 128 })).toMatchObject({
      state: 'failed',
      error: `${tf_filename}: a frame is damaged`,
    });
    await run({});
    expect(lengths).toEqual([128, executionParamsSchema.parse({}).daq_state_machine.tf_size_bytes]);
    error = new SwfError('DATA_UNAVAILABLE', 'the disk is faulty');
    expect(await run({ file_url })).toEqual({ reason: 'NO_FILE', detail: 'the disk is faulty' });
    expect(kinds()).toEqual(['NO_FILE http://there:1/data']);
  });
});

describe('a payload command', () => {
  it.each<[string, (path: string) => Worker, (path: string) => object, RegExp | undefined]>([
    ['runs on a worker that has it', (path) => ({ payload: [path] }), (path) => ({ payload: nameOf(path) }), undefined],
    [
      'runs if its digest is unknown',
      (path) => ({ payload: [path] }),
      () => ({ payload: { name: 'payload.sh' } }),
      undefined,
    ],
    [
      'runs if the slice of a foreign program asks for no payload',
      (path) => ({ payload: [path] }),
      () => ({}),
      undefined,
    ],
    [
      'is identified by its configured name',
      (path) => ({ payload: [path], payload_name: 'reco' }),
      (path) => ({ payload: { ...nameOf(path), name: 'reco' } }),
      undefined,
    ],
    [
      'has its slice returned by a worker without a payload',
      () => ({}),
      (path) => ({ payload: nameOf(path) }),
      /^slices require the payload payload\.sh sha256:\w+, but this worker has none; give it with --set 'worker\.payload=\[…\]'$/,
    ],
    [
      'has its slice returned by a worker with another payload',
      (path) => ({ payload: [path] }),
      () => ({ payload: { name: 'payload.sh', digest: 'sha256:0' } }),
      /but this worker has payload\.sh sha256:\w+; copy the recorder's program and files/,
    ],
    [
      'has its slice returned if the program of the worker is gone',
      (path) => ({ payload: [`${path}.gone`] }),
      (path) => ({ payload: nameOf(path) }),
      /but this worker's program \S+payload\.sh\.gone does not exist, or is not executable; install it$/,
    ],
  ])('%s', async (_, own, slice, why) => {
    const path = program();
    const { prepare, reach, kinds } = worker(own(path));
    const folder = temporaryFolder();
    writeFileSync(join(folder, tf_filename), 'x');
    reach.found = { files: noDataFiles, folder };
    const prepared = await prepare(slice(path));
    if (why === undefined) expect(await (prepared as SliceWork).run(open, by)).toMatchObject({ state: 'done' });
    else expect(prepared).toEqual({ reason: 'NO_PAYLOAD', detail: expect.stringMatching(why) });
    expect(kinds()).toHaveLength(why === undefined ? 0 : 1);
  });

  it('ends after the timeout_seconds of the slice, or else of the worker', async () => {
    const path = program(undefined, '#!/bin/sh\nsleep 100\n');
    const { prepare, reach } = worker({ payload: [path], timeout_seconds: 7 });
    const folder = temporaryFolder();
    writeFileSync(join(folder, tf_filename), 'x');
    reach.found = { files: noDataFiles, folder };
    for (const [more, limit] of [
      [{ timeout_seconds: 3 }, 3],
      [{}, 7],
    ] as const) {
      let result: unknown;
      void ((await prepare(more)) as SliceWork).run(open, by).then((ended) => (result = ended));
      const later = async (): Promise<unknown> => {
        await pass(1);
        return result;
      };
      await expect
        .poll(later)
        .toMatchObject({ state: 'failed', error: expect.stringContaining(`timeout_seconds = ${limit} `) });
    }
  });

  it('is read again twenty seconds after a mismatch, and its worker is back on duty after half a minute', async () => {
    const folder = temporaryFolder();
    const path = program(folder);
    const right = nameOf(program(temporaryFolder(), '#!/bin/sh\nexit 1\n'));
    const { prepare, kinds, reach } = worker({ payload: [path] });
    mkdirSync(join(folder, 'x'));
    writeFileSync(join(folder, 'x', tf_filename), 'x');
    reach.found = { files: noDataFiles, folder: join(folder, 'x') };
    const isUnfit = async () => 'reason' in (await prepare({ payload: right }));
    expect(await isUnfit()).toBe(true);
    program(folder, '#!/bin/sh\nexit 1\n');
    await pass(20);
    expect(await isUnfit()).toBe(true);
    await pass(1);
    expect([await isUnfit(), kinds().length]).toEqual([false, 1]);
    await pass(10);
    expect(kinds()).toEqual([]);
  });

  it('is not run if the recorder writes no files: the slice is returned, and the worker stays on duty', async () => {
    const { prepare, kinds } = worker({ payload: [program()] });
    expect(await prepare()).toEqual({
      reason: 'NO_FILE',
      detail: 'a payload command needs files, but the recorder writes none',
    });
    expect(kinds()).toEqual([]);
  });
});
