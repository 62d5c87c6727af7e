import { sliceMessageId } from '../messages/identity.ts';
import type { Draft } from '../messages/message.ts';
import type { DeliveredSlice } from './ports.ts';

/** The most results to remember; each may have some kilobytes of output. */
const maxResults = 1000;

/** The work that a slice asks for. Two stores may have executions of one name. */
export const workKeyOf = ({ storeId, slice }: DeliveredSlice): string =>
  `${storeId} ${sliceMessageId(slice.execution_id, slice.slice_filename, slice.attempt)}`;

/** A restored store numbers its executions anew: a slice of the same name is then another one, sent at another time. */
const sentKeyOf = (delivered: DeliveredSlice): string => `${delivered.slice.timestamp} ${workKeyOf(delivered)}`;

/**
 * The newest results of a worker, by the very messages that asked for them: a broker that was killed may deliver a slice again whose acknowledgement
 * it lost. Its result is then sent again, and not worked for again.
 */
export class KnownResults {
  readonly #results = new Map<string, Draft<'slice_result'>>();

  get(delivered: DeliveredSlice): Draft<'slice_result'> | undefined {
    return this.#results.get(sentKeyOf(delivered));
  }

  add(delivered: DeliveredSlice, draft: Draft<'slice_result'>): void {
    this.#results.set(sentKeyOf(delivered), draft);
    const [oldest] = this.#results.keys();
    if (this.#results.size > maxResults && oldest !== undefined) this.#results.delete(oldest);
  }
}
