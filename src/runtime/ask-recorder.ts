import { commandState, noteRefused } from '../db/log/commands.ts';
import type { Store } from '../db/opening/store.ts';
import type { ProcessSigns } from '../db/presence/leases.ts';
import { pause } from '../lib/deadline.ts';
import { executionInUse } from '../lib/errors.ts';
import { recordCommand, type Requester } from './commands.ts';

/** A recorder looks for such requests every five seconds. */
const patienceMilliseconds = 15_000;

const lookMilliseconds = 100;

/**
 * Asks the living recorder to resume an execution that nobody drives, even after repeated failures. Throws `EXECUTION_IN_USE` if it cannot, or does
 * not answer within 15 s, as `swf-mcp run` does not; the request is then withdrawn.
 */
export async function askRecorder(
  store: Store,
  executionId: string,
  { recorder, by, reason }: { recorder: ProcessSigns; by: Requester; reason: string | undefined },
): Promise<void> {
  const command = await recordCommand(store, executionId, { action: 'continue', by, reason });
  if (command === undefined) return;
  const who = `process ${recorder.pid} on ${recorder.hostname} records this namespace`;
  const deadline = performance.now() + patienceMilliseconds;
  for (;;) {
    const state = commandState(store.sql, command.message_id);
    // Somebody else may have asked the same.
    if (state !== 'waiting' && (state.effect === 'applied' || state.code === 'ALREADY')) return;
    if (state !== 'waiting') throw executionInUse(`${who} and cannot resume ${executionId}: ${state.reason}`);
    if (performance.now() > deadline) {
      // It must not take effect hours later.
      await store.write((tx) => noteRefused(tx, command.message_id, 'REFUSED', 'no recorder resumed it in time'));
      throw executionInUse(
        `${who} and has not resumed ${executionId} in ${patienceMilliseconds / 1000} s; a service does it when it can; wait until a "swf-mcp run" has ended`,
      );
    }
    await pause(lookMilliseconds);
  }
}
