import type { ExecutionStatus } from '../../domain/states.ts';
import type { DialectName } from '../dialects.ts';
import type { readings } from './lifecycle.ts';
import type { jobsOf } from './prompt.ts';
import type { Fields, stfFileFact, tfFileFact } from './values.ts';
import type { resultOf, sliceOf, SlicesOfDialect } from './work.ts';

/** A slice as its sender announces it. Fields that it leaves out are undefined. */
export type SliceFact = NonNullable<ReturnType<typeof sliceOf>>;

/** The result of an attempt. `copyOf`: the whole message (JSON) that this one repeats, if it came by REST. */
export type ResultFact = NonNullable<ReturnType<typeof resultOf>> & { copyOf?: string };

export type ResultKey = ResultFact['key'];

/** A fact that a program reports to its monitor by REST. */
type ToldFact =
  | {
      kind: 'told_execution';
      /** As the runner writes it: without a zone. */
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
  /** The data run, as data taking: it is closed once its data agent has no more to do. */
  | { kind: 'told_run'; isClosed: boolean }
  | ToldSlice
  /** Changes no table: messages say the same, or it names a run. */
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
  /** The execution that it names itself. */
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
  /** Whether a message is worded so, if no dialect before it in `dialects` words it so. */
  words: (body: Fields) => boolean;
  /** How to read its messages of these types. All other types are worded alike: `lifecycle.ts`. */
  readings: Readonly<Record<string, (body: Fields, headers: Readonly<Record<string, string>>) => Fact | undefined>>;
  /** Its slices and results, if it words them as the programs of the testbed do. */
  slices?: SlicesOfDialect;
}
