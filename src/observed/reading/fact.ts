import type { ExecutionStatus } from '../../domain/states.ts';
import type { DialectName } from '../dialects.ts';
import type { readings } from './lifecycle.ts';
import type { jobsOf } from './prompt.ts';
import type { Fields, stfFileFact, tfFileFact } from './values.ts';
import type { resultOf, sliceOf, SlicesOfDialect } from './work.ts';

/** A slice as announced by its sender. Fields that it leaves out are undefined. */
export type SliceFact = NonNullable<ReturnType<typeof sliceOf>>;

/**
 * The result of an attempt. `copyOf`: the whole message (JSON) that this one repeats, if it was sent over
 * REST.
 */
export type ResultFact = NonNullable<ReturnType<typeof resultOf>> & { copyOf?: string };

export type ResultKey = ResultFact['key'];

/** A fact that a program reports to its monitor by REST. */
type ToldFact =
  | {
      kind: 'told_execution';
      /** As written by the runner: without a zone. */
      start_time: string;
      executed_by: string | undefined;
      parameters: Readonly<Record<string, unknown>>;
    }
  | { kind: 'told_status'; status: ExecutionStatus }
  /** `sites`: those that were chosen to process it; undefined if the registration does not say. */
  | (NonNullable<ReturnType<typeof stfFileFact<'told_stf'>>> & { sites: string[] | undefined })
  | NonNullable<ReturnType<typeof tfFileFact<'told_tf'>>>
  | { kind: 'told_stf_ready'; stf_filename: string }
  | NonNullable<ReturnType<typeof jobsOf>>
  /** The data run (data taking): it is closed once its data agent has finished. */
  | { kind: 'told_run'; isClosed: boolean }
  | ToldSlice
  /** Changes no table: messages state the same, or it only names a run. */
  | { kind: 'told' };

/** A slice as registered: before it is sent, so it has no request yet. */
export interface ToldSlice extends Pick<
  SliceFact,
  'tf_filename' | 'slice_id' | 'slice_filename' | 'stf_filename' | 'tf_first' | 'tf_last' | 'tf_count'
> {
  kind: 'told_slice';
}

/** A fact about the workflow that a message states. */
export type Fact =
  | NonNullable<ReturnType<(typeof readings)[keyof typeof readings]>>
  | SliceFact
  | ResultFact
  | ToldFact;

/** A parsed message. Names that are absent, null, `none` or `unknown` are undefined. */
export interface Statement {
  message_type: string;
  sender: string | undefined;
  namespace: string | undefined;
  run_id: string | undefined;
  /** The execution that the message itself names. */
  told_id: string | undefined;
  dialect: DialectName | undefined;
  simulation_tick: number | undefined;
  /** Which of its names has invisible characters, with the name escaped: it could pass for another. */
  hidden?: string | undefined;
  /** Undefined if its type states none, or its key is incomplete. */
  fact: Fact | undefined;
}

/** How the messages of a dialect are read. */
export interface Dialect {
  /** Whether a message is in this dialect, if no dialect before it in `dialects` recognizes it. */
  words: (body: Fields) => boolean;
  /**
   * How to read its messages of these types. All other types are the same in all dialects: `lifecycle.ts`.
   */
  readings: Readonly<Record<string, (body: Fields, headers: Readonly<Record<string, string>>) => Fact | undefined>>;
  /** Its slices and results, if they have the format of the testbed's programs. */
  slices?: SlicesOfDialect;
}
