import type { Payload } from '../agents/ports.ts';
import type { DataFiles } from '../files/data-files.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, SwfError } from '../lib/errors.ts';

/**
 * Stands in for a reconstruction: reads the slice's frames, checks the index and checksum of each, and takes the planned time.
 * @param seconds planned time per slice, in seconds of simulated time
 */
export function createPlaceholderPayload(files: DataFiles, clock: Clock, seconds: number, frameBytes: number): Payload {
  return {
    async run(slice, { signal }) {
      const start = clock.now();
      try {
        await files.verify(slice.tf_filename, { first: slice.tf_first, last: slice.tf_last, frameBytes });
      } catch (error) {
        // A failing disk is not the slice's fault.
        if (error instanceof SwfError) throw error;
        return { state: 'failed', seconds: clock.now() - start, error: `${slice.tf_filename}: ${messageOf(error)}` };
      }
      await clock.sleepUntil(start + seconds, signal);
      return { state: 'done', seconds: clock.now() - start };
    },
  };
}
