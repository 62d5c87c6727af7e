import { sliceMessageId } from '../messages/identity.ts';
import type { Message } from '../messages/message.ts';
import type { AgentDirectory } from './agent-directory.ts';

/**
 * Starts of an attempt by a worker that was started again under its name: the message of the second start says the same as that of the first,
 * so the log has one of them. Each means that an earlier start was lost.
 */
export class RepeatedStarts {
  readonly #directory: AgentDirectory;
  readonly #attempts = new Map<string, { since: string | undefined; lost: number }>();

  constructor(directory: AgentDirectory) {
    this.#directory = directory;
  }

  note({ execution_id = '', slice_filename, attempt, sender }: Message<'slice_started'>): void {
    const id = sliceMessageId(execution_id, slice_filename, attempt);
    const since = this.#directory.sinceOf(sender);
    const known = this.#attempts.get(id);
    // The same process says it once more after the connection broke.
    if (known !== undefined && known.since === since) return;
    this.#attempts.set(id, { since, lost: (known?.lost ?? 0) + 1 });
  }

  /** How many starts of an attempt were lost so. */
  lost(executionId: string, sliceFilename: string, attempt: number): number {
    return this.#attempts.get(sliceMessageId(executionId, sliceFilename, attempt))?.lost ?? 0;
  }

  forget(executionId: string): void {
    for (const id of this.#attempts.keys()) if (id.startsWith(`${executionId}/`)) this.#attempts.delete(id);
  }
}
