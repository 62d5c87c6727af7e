import { setTimeout as delay } from 'node:timers/promises';

import type { Workplace } from '../agents/log-consumer.ts';
import { beatSeconds } from '../db/presence/leases.ts';
import { givenUpSlices } from '../db/presence/lost-starts.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import { isAlive } from '../lib/process-identity.ts';

/**
 * The fast processing agent's watch over slices that have killed their workers too often: it says their failure itself
 * (contract §2), since nobody else will. Runs until the workplace is told to stop.
 */
export async function watchLostSlices(
  store: Store,
  name: string,
  { journal, clock, context, signal }: Workplace,
): Promise<void> {
  const sql = preparer(store.db);
  while (!signal.aborted) {
    for (const slice of givenUpSlices(sql, context.execution_id, isAlive)) {
      const { slice_id, slice_filename, tf_filename, attempt, worker_id, hostname } = slice;
      const fields = { slice_id, slice_filename, tf_filename, attempt, worker_id, hostname };
      const says = [
        { msg_type: 'slice_result' as const, ...fields, state: 'failed' as const, error: 'worker vanished 3 times' },
      ];
      await journal.step({ sender: name, tick: clock.now(), says });
    }
    await delay(beatSeconds * 1000, undefined, { signal }).catch(() => {});
  }
}
