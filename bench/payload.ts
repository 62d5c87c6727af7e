import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { createPayloadHost } from '../src/payload/host.ts';
import { createCommandPayload } from '../src/payload/kinds.ts';
import { temporaryFolder } from '../test/folder.ts';
import { type Figure, median } from './figure.ts';

const processes = 200;

/**
 * The cost of a payload process, with its folder, group and guard, compared with merely spawning the same program.
 */
export async function benchPayload(): Promise<Figure[]> {
  const host = createPayloadHost(process.env);
  const payload = createCommandPayload({
    host,
    command: ['true'],
    limitSeconds: 60,
    execution_id: 'bench',
    run_number: 100_010,
    namespace: 'bench',
    frameBytes: 64,
    folder: temporaryFolder(),
  });
  const slice = (n: number) => ({
    slice_id: n,
    slice_filename: `swf.100010.000001_slice_${n}.tf`,
    tf_filename: 'swf.100010.000001_tf_001.tf',
    stf_filename: 'swf.100010.000001.stf',
    tf_first: 0,
    tf_last: 9,
    tf_count: 10,
    attempt: 1,
  });
  const by = { worker_id: 'bench/01', signal: new AbortController().signal };
  const ours: number[] = [];
  const floor: number[] = [];
  for (let n = 0; n < processes; n += 1) {
    let began = performance.now();
    const { state } = await payload.run(slice(n), by);
    ours.push(performance.now() - began);
    if (state !== 'done') throw new Error('the payload failed');
    began = performance.now();
    await once(spawn('true', { stdio: 'ignore' }), 'exit');
    floor.push(performance.now() - began);
  }
  await host.close();
  return [
    {
      figure: `a payload process (median of ${processes})`,
      unit: 'ms',
      ours: median(ours),
      floor: { what: 'bare spawn of "true"', value: median(floor) },
    },
  ];
}
