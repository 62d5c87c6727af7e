import type { Payload } from '../agents/ports.ts';
import type { PayloadSpec } from '../domain/payload-spec.ts';
import type { DataFiles } from '../files/data-files.ts';
import type { Clock } from '../lib/clock.ts';
import { type CommandPayloadOptions, createCommandPayload } from './command-payload.ts';
import { createPlaceholderPayload } from './placeholder.ts';

/** The facts about its execution that a payload gets. */
export interface PayloadSurroundings extends Omit<CommandPayloadOptions, 'command' | 'limitSeconds' | 'folder'> {
  files: DataFiles;
  /** The execution's folder of data files; undefined if none are written. */
  folder: string | undefined;
  clock: Clock;
}

type Kinds = {
  [K in PayloadSpec['kind']]: (spec: Extract<PayloadSpec, { kind: K }>, surroundings: PayloadSurroundings) => Payload;
};

/** The kinds of payload. A new kind of `PayloadSpec` does not compile until it has an entry. */
const kinds: Kinds = {
  placeholder: ({ seconds }, { files, clock, frameBytes }) =>
    createPlaceholderPayload(files, clock, seconds, frameBytes),
  command: ({ command, limit_seconds }, { folder, ...surroundings }) => {
    if (folder === undefined) throw new Error('a payload command needs the files of its execution');
    return createCommandPayload({ ...surroundings, command, limitSeconds: limit_seconds, folder });
  },
};

/** The payload of an execution. */
export const createPayload = (spec: PayloadSpec, surroundings: PayloadSurroundings): Payload =>
  (kinds[spec.kind] as (spec: PayloadSpec, surroundings: PayloadSurroundings) => Payload)(spec, surroundings);
