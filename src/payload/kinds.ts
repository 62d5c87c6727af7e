import type { Payload } from '../agents/ports.ts';
import type { PayloadSpec } from '../domain/params.ts';
import type { DataFiles } from '../files/data-files.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { type CommandPayloadOptions, createCommandPayload } from './command-payload.ts';

/** The facts about its execution that a payload gets. */
interface PayloadSurroundings extends Omit<CommandPayloadOptions, 'command' | 'limitSeconds' | 'folder'> {
  files: DataFiles;
  /** The execution's folder of data files; undefined if none are written. */
  folder: string | undefined;
  clock: Clock;
}

/** A new kind of `PayloadSpec` does not compile until it has a case. */
export function createPayload(spec: PayloadSpec, surroundings: PayloadSurroundings): Payload {
  const { folder, ...around } = surroundings;
  switch (spec.kind) {
    case 'placeholder':
      return placeholder(spec.seconds, surroundings);
    case 'command':
      if (folder === undefined) throw new Error('a payload command needs the files of its execution');
      return createCommandPayload({ ...around, command: spec.command, limitSeconds: spec.limit_seconds, folder });
  }
}

/** Stands in for a reconstruction: reads the slice's frames, checks the index and checksum of each, and takes `seconds` of simulated time. */
const placeholder = (seconds: number, { files, clock, frameBytes }: PayloadSurroundings): Payload => ({
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
});
