import type { ExecutionStatus } from '../../domain/states.ts';
import type { DialectName } from '../dialects.ts';
import type { readings } from './lifecycle.ts';
import type { jobsOf } from './prompt.ts';
import type { Fields, stfFileFact, tfFileFact } from './values.ts';
import type { resultOf, sliceOf, SlicesOfDialect } from './work.ts';

/** A slice as its sender announced it. Fields that the message lacks are undefined. */
export type SliceFact = NonNullable<ReturnType<typeof sliceOf>>;

/**
 * The result of an attempt. `copyOf`: for a result sent over REST, the whole message (JSON) that it repeats.
 */
export type ResultFact = NonNullable<ReturnType<typeof resultOf>> & { copyOf?: string };

export type ResultKey = ResultFact['key'];

/** A fact that a program reports to its monitor over REST. */
type ToldFact =
  | {
      kind: 'told_execution';
      /** As written by the runner, without a zone. */
      start_time: string;
      executed_by: string | undefined;
      parameters: Readonly<Record<string, unknown>>;
    }
  | { kind: 'told_status'; status: ExecutionStatus }
  /** `sites`: the sites chosen to process the file; undefined if the registration does not name any. */
  | (NonNullable<ReturnType<typeof stfFileFact<'told_stf'>>> & { sites: string[] | undefined })
  | NonNullable<ReturnType<typeof tfFileFact<'told_tf'>>>
  | { kind: 'told_stf_ready'; stf_filename: string }
  | NonNullable<ReturnType<typeof jobsOf>>
  /** The data run (data taking), which is closed once its data agent has finished. */
  | { kind: 'told_run'; isClosed: boolean }
  | ToldSlice
  /** A report that changes no table, because messages state the same fact or because the report only names a run. */
  | { kind: 'told' };

/** A slice as registered: it has not been sent yet, so it has no request. */
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
  /**
   * The message's first name with invisible characters, escaped: such a name could be mistaken for another.
   */
  hidden?: string | undefined;
  /** Undefined if the message's type states no fact, or its key is incomplete. */
  fact: Fact | undefined;
}

/** How to read the messages of a dialect. */
export interface Dialect {
  /** Whether a message is in this dialect, provided that no earlier dialect in `dialects` recognizes it. */
  words: (body: Fields) => boolean;
  /**
   * How to read the dialect's messages of these types. All other types are the same in all dialects: see
   * `lifecycle.ts`.
   */
  readings: Readonly<Record<string, (body: Fields, headers: Readonly<Record<string, string>>) => Fact | undefined>>;
  /** How to read the dialect's slices and results, if they have the format of the testbed's programs. */
  slices?: SlicesOfDialect;
}
