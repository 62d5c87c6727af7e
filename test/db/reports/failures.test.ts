import { describe, expect, it } from 'vitest';

import { openStore } from '../../../src/db/opening/open-store.ts';
import { failureCauses } from '../../../src/db/reports/failures.ts';
import { temporaryFolder } from '../../helpers.ts';

const many = 1200;

describe('the causes of failures', () => {
  it('include why slices stay failed, however many earlier attempts were retried', async () => {
    const store = await openStore(`${temporaryFolder()}/swf.db`);
    await store.write(({ sql }) => {
      for (let slice = 0; slice < many; slice += 1) {
        const name = `swf.1.000001_slice_${slice}.tf`;
        sql(
          `INSERT INTO earlier_attempts (slice_filename, attempt, execution_id, state, starts, queued_at, error)
           VALUES (?, 1, 'e', 'failed', 1, '2026-11-26T00:00:00.000Z', 'a passing fault')`,
        ).run(name);
        sql(
          `INSERT INTO tf_slices (slice_filename, slice_id, tf_filename, stf_filename, run_number, execution_id, tf_first, tf_last, tf_count, status, attempt, created_at, error)
           VALUES (?, ?, 't', 's', 1, 'e', 0, 0, 1, ?, 2, '2026-11-26T00:00:00.000Z', ?)`,
        ).run(name, slice, slice < 300 ? 'failed' : 'completed', slice < 300 ? 'bad geometry' : null);
      }
    });
    expect(failureCauses(store.sql, 'e')).toEqual([
      { cause: 'a passing fault', attempts: 700 },
      { cause: 'bad geometry', attempts: 300 },
    ]);
    store.close();
  });
});
