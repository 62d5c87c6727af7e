import { expect, it } from 'vitest';

import { whyNotResumed } from '../../../src/commands/drive/run.ts';

it.each([
  [{}, 'completed; there is nothing to do'],
  [{ slices_failed: 1 }, 'completed; 1 TF slice failed permanently; it cannot be resumed, so start a new run'],
  [
    { status: 'terminated', slices_failed: 2, slices_queued: 30, status_reason: 'interrupted by SIGINT' },
    'terminated (interrupted by SIGINT); 2 TF slices failed permanently; 30 TF slices unfinished; it cannot be resumed, so start a new run',
  ],
  [{ status: 'failed', status_reason: 'no disk' }, 'failed (no disk); it cannot be resumed, so start a new run'],
] as const)('resume says what an ended execution left undone: %j', (given, sentence) => {
  const done = {
    execution_id: 'stf_1',
    status: 'completed',
    status_reason: null,
    slices_queued: 0,
    slices_failed: 0,
  } as const;
  expect(whyNotResumed({ ...done, ...given })).toBe(`stf_1 has ended: ${sentence}`);
});
