import type { PhaseMessage } from '../../domain/run-phases.ts';
import type { ExecutionStatus } from '../../domain/states.ts';
import type { DialectName } from '../dialects.ts';
import type { framesIn } from './values.ts';
import type { resultOf, sliceOf } from './work.ts';

/** The STF file and the frames of a TF file or a slice. */
type Frames = { stf_filename: string | undefined } & ReturnType<typeof framesIn>;

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
      workflow_name: string | undefined;
      parameters: Readonly<Record<string, unknown>>;
    }
  | { kind: 'told_status'; status: ExecutionStatus }
  | { kind: 'told_stf'; stf_filename: string; sequence: number | undefined; tf_count: number | undefined }
  | ({ kind: 'told_tf'; tf_filename: string } & Frames)
  | { kind: 'told_stf_ready'; stf_filename: string }
  | ToldSlice
  /** Changes no table: messages say the same, or it names a run. */
  | { kind: 'told' };

/** A slice as registered: before it is sent, so it has no request yet. */
export interface ToldSlice extends Frames {
  kind: 'told_slice';
  tf_filename: string;
  slice_id: number;
  slice_filename: string;
}

/** A fact about the workflow that a message states. */
export type Fact =
  | { kind: 'phase'; type: PhaseMessage; total_stf_files: number | undefined }
  | { kind: 'stf_gen'; stf_filename: string; sequence: number | undefined; tf_count: number | undefined }
  | {
      kind: 'stf_ready';
      stf_filename: string;
      sequence: number | undefined;
      tf_count: number | undefined;
      checksum: string | undefined;
      size_bytes: number | undefined;
    }
  | ({ kind: 'tf_file_registered'; tf_filename: string } & Frames)
  /** Orders to the programs that start workers. Seconds. */
  | { kind: 'workers'; target_worker_count: number | undefined; worker_rampup_time: number | undefined }
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
  /** Which of its names has characters that nobody sees, with the name escaped: it could pass for another. */
  hidden?: string | undefined;
  /** Undefined if its type states none, or its key is incomplete. */
  fact: Fact | undefined;
}
