import { expect, it } from 'vitest';

import { type QueuedSlice, createSliceWorker } from '../../src/agents/slice-worker.ts';

const delivered = (change: Partial<QueuedSlice['slice']> = {}, storeId = 'store'): QueuedSlice & { acks: number } => {
  const one = {
    slice: {
      msg_type: 'slice' as const,
      sender: 'fast',
      namespace: 'test',
      execution_id: 'stf_datataking-tester-0001',
      run_id: '100010',
      timestamp: '2026-01-01T00:00:00.000Z',
      slice_id: 3,
      slice_filename: 'swf.100010.000001_slice_003.tf',
      tf_filename: 'swf.100010.000001_tf_001.tf',
      stf_filename: 'swf.100010.000001.stf',
      start: 3,
      end: 3,
      tf_count: 1,
      attempt: 1,
      ...change,
    },
    storeId,
    replyTo: undefined,
    since: 0,
    acks: 0,
    acknowledge: () => void (one.acks += 1),
    giveBack: () => {},
  };
  return one;
};

it('a slice that is delivered twice is processed once, and its result is sent twice', async () => {
  const never = new AbortController().signal;
  const said: string[] = [];
  let runs = 0;
  const worker = createSliceWorker({
    name: 'worker-1',
    hostname: 'here',
    standing: () => 'open',
    changed: () => Promise.resolve(),
    overFor: () => never,
    prepare: () =>
      Promise.resolve({
        run: () => {
          runs += 1;
          return Promise.resolve({ state: 'done' as const, seconds: runs });
        },
      }),
    begin: () => Promise.resolve(true),
    say: (draft, { storeId }) => {
      said.push(`${storeId} ${draft.msg_type} ${'processing_seconds' in draft ? draft.processing_seconds : ''}`);
      return Promise.resolve(true);
    },
    draining: never,
    stopped: never,
    onChange: () => {},
  });
  const again = delivered();
  await worker.handle(delivered(), 1);
  await worker.handle(again, 2);
  expect({ runs, acks: again.acks }).toEqual({ runs: 1, acks: 1 });
  // Another attempt is new work, and so is a slice of the same name in another store.
  await worker.handle(delivered({ attempt: 2 }), 1);
  await worker.handle(delivered({}, 'another'), 1);
  // So is one that was sent at another time: a restored store may use the same run numbers again.
  await worker.handle(delivered({ timestamp: '2026-01-02T00:00:00.000Z' }), 1);
  expect(said).toEqual([
    'store slice_result 1',
    'store slice_result 1',
    'store slice_result 2',
    'another slice_result 3',
    'store slice_result 4',
  ]);
});
