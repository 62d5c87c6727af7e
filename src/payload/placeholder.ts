import type { OpenSlice } from '../agents/ports.ts';
import type { DataFiles } from '../files/data-files.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import type { Draft } from '../messages/vocabulary.ts';

/** What a payload command leaves behind, as it stands in `slice_result`. */
export type PayloadFacts = Partial<
  Pick<Draft<'slice_result'>, 'exit_code' | 'signal' | 'output_tail' | 'outputs' | 'outputs_omitted'>
>;

/** What came of one slice. `seconds` is its processing time. */
export type PayloadResult = { seconds: number; facts?: PayloadFacts } & (
  | { state: 'done' }
  | { state: 'failed'; error: string }
);

/** What a worker runs on a slice. Whatever goes wrong is the slice's result; only for a faulty disk it throws `DATA_UNAVAILABLE`. */
export interface Payload {
  run(slice: OpenSlice, by: { worker_id: string; signal: AbortSignal }): Promise<PayloadResult>;
}

/**
 * Stands for a reconstruction: reads the slice's frames, checks index and checksum of each, and takes the planned time.
 * @param seconds planned time a slice, in seconds of simulated time
 */
export function createPlaceholderPayload(files: DataFiles, clock: Clock, seconds: number, frameBytes: number): Payload {
  return {
    async run(slice, { signal }) {
      const start = clock.now();
      try {
        await files.verify(slice.tf_filename, { first: slice.tf_first, last: slice.tf_last, frameBytes });
      } catch (error) {
        // A disk that gives out is not the slice's fault.
        if (error instanceof SwfError) throw error;
        return { state: 'failed', seconds: clock.now() - start, error: `${slice.tf_filename}: ${messageOf(error)}` };
      }
      await clock.sleepUntil(start + seconds, signal);
      return { state: 'done', seconds: clock.now() - start };
    },
  };
}
