import type { AgentDirectory } from '../exchange/agent-directory.ts';
import { sliceMessageId } from '../messages/identity.ts';
import type { Message } from '../messages/message.ts';

/**
 * Starts of an attempt by a worker that was restarted under its name: the second start's message says the same as the first, so the log has only one.
 * Each means that an earlier start was lost.
 */
export function createRepeatedStarts(directory: AgentDirectory) {
  const attempts = new Map<string, { worker_id: string; since: string | undefined; lost: number }>();
  return {
    note({ execution_id = '', slice_filename, attempt, worker_id, sender }: Message<'slice_started'>): void {
      const id = sliceMessageId(execution_id, slice_filename, attempt);
      const since = directory.sinceOf(sender);
      const known = attempts.get(id);
      // Another worker's start is another message. The same process repeats its start after the connection broke.
      const isLoss = known?.worker_id === worker_id && known.since !== since;
      attempts.set(id, { worker_id, since, lost: (known?.lost ?? 0) + (isLoss ? 1 : 0) });
    },
    /** How many starts of an attempt were lost this way. */
    lost: (executionId: string, sliceFilename: string, attempt: number): number =>
      attempts.get(sliceMessageId(executionId, sliceFilename, attempt))?.lost ?? 0,
    forget(executionId: string): void {
      for (const id of attempts.keys()) if (id.startsWith(`${executionId}/`)) attempts.delete(id);
    },
  };
}
