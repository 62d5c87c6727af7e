import type { ExecutionContext } from '../agents/agent.ts';
import type { Store } from '../db/opening/store.ts';
import { abandonedSlices, maxLostStarts } from '../db/presence/lost-starts.ts';
import { beatSeconds, lateSeconds } from '../domain/liveness.ts';
import { pause } from '../lib/deadline.ts';
import { isAlive } from '../lib/process-identity.ts';
import type { RecorderSession } from '../recorder/recorder-session.ts';

/** How long agents have to be heard again after a connection break, in milliseconds. */
const hearingMilliseconds = lateSeconds * 1000;

/**
 * The fast processing agent's watch over slices that have killed their workers too often: it reports their failure itself, since nobody else will.
 * Runs until the execution is stopped.
 */
export async function watchAbandonedSlices(
  { sql }: Store,
  recorder: Pick<RecorderSession, 'repeatedStarts' | 'link'>,
  name: string,
  { journal, clock, agent, lifetime: { stopped } }: ExecutionContext,
): Promise<void> {
  while (!stopped.aborted) {
    const alsoLost = (slice: string, attempt: number): number =>
      recorder.repeatedStarts.lost(agent.execution_id, slice, attempt);
    // Workers that cannot be heard are not dead.
    const isHearing = recorder.link.hearingMilliseconds() >= hearingMilliseconds;
    for (const slice of isHearing ? abandonedSlices(sql, agent.execution_id, isAlive, alsoLost) : []) {
      const { slice_id, slice_filename, tf_filename, attempt, worker_id, hostname } = slice;
      const fields = { slice_id, slice_filename, tf_filename, attempt, worker_id, hostname };
      const error = `worker vanished ${maxLostStarts} times`;
      const says = [{ msg_type: 'slice_result' as const, ...fields, state: 'failed' as const, error }];
      await journal.step({ sender: name, tick: clock.now(), says });
    }
    await pause(beatSeconds * 1000, [stopped]);
  }
}
