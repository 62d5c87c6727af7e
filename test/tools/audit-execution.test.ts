import { expect, it } from 'vitest';

import { alterStore } from '../alter-store.ts';
import { ask, runWorkflow, temporaryFolder } from '../helpers.ts';
import { clientOf } from './asking.ts';

it('audit_execution names each check that fails, with its counts and its problem', async () => {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '2');
  alterStore(folder, `UPDATE tf_slices SET status = 'failed' WHERE slice_id = 1`);
  const { verdict, summary } = await ask(await clientOf(folder), 'audit_execution', { execution_id: 'latest' });
  expect({ verdict, summary }).toEqual({
    verdict: 'broken',
    summary:
      'The records contradict each other, or lack what a completed run must have: results 28 of 30: TF slices have no final result; ' +
      'counts 10 of 12: stored counts do not match the rows: slices_completed is 30, but there are 28 rows, slices_failed is 0, but there are 2 rows.',
  });
});
