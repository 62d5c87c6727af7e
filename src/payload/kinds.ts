import { existsSync } from 'node:fs';
import { basename } from 'node:path';

import type { OpenSlice, Payload, PayloadResult } from '../agents/ports.ts';
import type { PayloadSpec } from '../domain/params.ts';
import { asDataError, type DataFiles } from '../files/data-files.ts';
import type { Clock } from '../lib/clock.ts';
import { dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';
import { freeBytes } from '../lib/file-system.ts';
import { printable } from '../lib/printable.ts';
import { withoutSecrets } from '../lib/secrets.ts';
import { clipWords } from '../lib/words.ts';
import { traceParent, sliceMessageId } from '../messages/identity.ts';
import type { PayloadHost } from './host.ts';
import { killedIn, listOutputs, makeAside, noOutputs, outputFolder, type Outputs, discard, settle } from './outputs.ts';
import { type Ended, runInGroup } from './process-group.ts';

interface CommandPayloadOptions {
  /** Program and arguments, with placeholders. */
  command: readonly string[];
  /** Wall time per slice. */
  limitSeconds: number;
  execution_id: string;
  run_number: number;
  namespace: string;
  frameBytes: number;
  /** The execution's folder of data files. */
  folder: string;
  host: PayloadHost;
}

/** Facts about a slice, by placeholder name. */
type Facts = Readonly<Record<string, string>>;

/**
 * How many characters an error quotes from the beginning of the last line of output, which usually says what is
 * wrong.
 */
const quotedCharacters = 200;

/**
 * Runs a command on each slice, in a fresh output folder; the files there at the end are the slice's outputs.
 * Every failure becomes the slice's result, with the cause in its error. Only a failing disk throws
 * `DATA_UNAVAILABLE`.
 */
export const createCommandPayload = (options: CommandPayloadOptions): Payload => ({
  killed: ({ slice_filename, attempt }) => killedIn(outputFolder(options.folder, slice_filename, attempt)),
  async run(slice, { worker_id, signal }) {
    const final = outputFolder(options.folder, slice.slice_filename, slice.attempt);
    let aside: string | undefined;
    let ended: Ended | undefined;
    try {
      aside = makeAside(options.folder, final);
      const guard = options.host.guard();
      ended = await runInGroup(programFor(slice, worker_id, aside, options, guard.mark), guard, signal);
      refuseFullDisk(ended, aside);
      const written = ended.how.kind === 'aborted' ? noOutputs : await listOutputs(aside);
      await settle(aside, final, written);
      return resultOf(ended, written, causeOf(ended, options));
    } catch (error) {
      if (aside !== undefined) await discard(aside);
      if (error instanceof SwfError) throw error;
      const fault = asDataError(error, final, options.folder);
      if (fault instanceof SwfError) throw fault;
      const trouble = `the output folder ${final} cannot be used: ${messageOf(error)}; check its permissions and free space`;
      // The reason why the program ended explains more than this fault does.
      return resultOf(ended ?? neverBegun, noOutputs, (ended && causeOf(ended, options)) ?? trouble);
    }
  },
});

/** Free space too small for any result, in bytes. */
const noRoom = 65_536;

/** A program's failure on a full disk is not the slice's fault. Throws `DATA_UNAVAILABLE`. */
function refuseFullDisk({ how }: Ended, folder: string) {
  if (how.kind === 'aborted' || (how.kind === 'exit' && how.exit_code === 0)) return;
  if (freeBytes(folder) >= noRoom) return;
  throw dataUnavailable(`the disk that holds ${folder} is full, so the payload failed; free some space, then resume`);
}

const neverBegun: Ended = { how: { kind: 'exit', exit_code: 0 }, seconds: 0, output: '' };

function programFor(
  slice: OpenSlice,
  worker_id: string,
  output_dir: string,
  options: CommandPayloadOptions,
  mark: Facts,
) {
  const facts: Facts = {
    tf_path: `${options.folder}/${slice.tf_filename}`,
    start: String(slice.tf_first),
    end: String(slice.tf_last),
    tf_count: String(slice.tf_count),
    slice_filename: slice.slice_filename,
    run_number: String(options.run_number),
    output_dir,
  };
  const more: Facts = {
    slice_id: String(slice.slice_id),
    tf_filename: slice.tf_filename,
    stf_filename: slice.stf_filename,
    tf_size_bytes: String(options.frameBytes),
    attempt: String(slice.attempt),
    execution_id: options.execution_id,
    namespace: options.namespace,
    worker_id,
  };
  const [command = '', ...args] = options.command.map((word) => fill(word, facts));
  return {
    command,
    args,
    folder: output_dir,
    environment: {
      ...withoutSecrets(options.host.environment),
      ...asVariables({ ...facts, ...more }),
      // The span of the slice's message, which is the parent of the program's own spans.
      TRACEPARENT: traceParent(options.execution_id, sliceMessageId(options.execution_id, slice)),
      ...mark,
    },
    limitSeconds: options.limitSeconds,
  };
}

const fill = (word: string, facts: Facts) =>
  word.replaceAll(/\{([a-z_]+)\}/g, (whole, name: string) => facts[name] ?? whole);

/** As environment variables: `tf_path` becomes `SWF_TF_PATH`. */
const asVariables = (facts: Facts): Facts =>
  Object.fromEntries(Object.entries(facts).map(([name, value]) => [`SWF_${name.toUpperCase()}`, value]));

/** @param cause why the slice has failed, if it has */
function resultOf({ how, seconds, output }: Ended, written: Outputs, cause: string | undefined): PayloadResult {
  const facts = {
    exit_code: how.kind === 'exit' ? how.exit_code : undefined,
    ...(how.kind === 'signal' ? { signal: how.signal } : {}),
    ...(how.kind === 'timeout' ? { signal: how.ignoredSigterm ? 'SIGKILL' : 'SIGTERM' } : {}),
    ...(written.outputs.length === 0 && written.outputs_omitted === undefined ? {} : written),
  };
  if (cause === undefined) return { state: 'done', seconds, facts };
  const last = output.trimEnd().split('\n').at(-1)?.trim() ?? '';
  const words = last === '' ? '' : `; its last words: ${clipWords(printable(last), quotedCharacters)}`;
  const error = new SwfError('PAYLOAD_FAILED', `${cause}${words}`).line;
  return { state: 'failed', seconds, error, facts: { ...facts, ...(output === '' ? {} : { output_tail: output }) } };
}

/** Why a slice has failed, or undefined if it has not. */
function causeOf({ how, seconds }: Ended, { command, limitSeconds }: CommandPayloadOptions) {
  // The folder is left out, since it could push the cause out of a truncated error.
  const program = command[0] ?? '';
  const name = basename(program);
  const after = `after ${seconds.toFixed(2)} s`;
  switch (how.kind) {
    case 'exit':
      return how.exit_code === 0 ? undefined : `${name} ended with exit code ${how.exit_code} ${after}`;
    case 'signal':
      return `${name} was killed by ${how.signal} ${after}`;
    case 'timeout':
      return `${name} was still running after worker.timeout_seconds = ${limitSeconds} and was killed by ${
        how.ignoredSigterm ? 'SIGKILL, since SIGTERM did not end it' : 'SIGTERM'
      }`;
    case 'not started':
      return `${program} cannot be started: ${whyNotStarted(program, how.reason)}; check worker.payload`;
    case 'aborted':
      return 'given up';
  }
}

function whyNotStarted(program: string, code: string) {
  if (code === 'ENOENT' && existsSync(program))
    return 'the interpreter named in its first line does not exist (ENOENT)';
  return reasons[code] ?? code;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'the program does not exist (ENOENT)',
  EACCES: 'it is not executable (EACCES)',
  ENOTDIR: 'a part of its path is not a folder (ENOTDIR)',
  E2BIG: 'its arguments are too long (E2BIG)',
  EAGAIN: 'the system allows no more processes (EAGAIN)',
  EMFILE: 'this process has too many files open (EMFILE); lower fast_processing.target_worker_count',
};

/** The facts that a payload gets about its execution. */
interface PayloadSurroundings extends Omit<CommandPayloadOptions, 'command' | 'limitSeconds' | 'folder'> {
  files: DataFiles;
  /** The execution's folder of data files; undefined if none are written. */
  folder: string | undefined;
  clock: Clock;
}

/** A new kind of `PayloadSpec` does not compile until it has a case here. */
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

/**
 * Stands in for a reconstruction: reads the slice's frames, checks the index and checksum of each, and takes
 * `seconds` of simulated time.
 */
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
