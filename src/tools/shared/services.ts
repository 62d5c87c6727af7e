import type { Author, NewNote, NewQuality } from '../../db/logbook/entries.ts';
import type { RecordedFile } from '../../db/reports/recorded-files.ts';
import type { Quality } from '../../domain/logbook-words.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import type { Action } from '../../domain/states.ts';

/** The state of a file, compared with its record. */
export interface FileState {
  state: 'fine' | 'missing' | 'changed' | 'unreachable';
  found_bytes?: number;
  found_checksum?: string;
  problem?: string;
}

/** Where the data files of an execution are. */
export interface FilePlace {
  execution_id: string;
  /** The folder of all executions' files. */
  dir: string;
  frameBytes: number;
  /** Where that folder is published; undefined if it is not. */
  url: string | undefined;
}

/** What tools need of the machine in addition to the store. The implementation is injected. */
export interface Services {
  /** Reads a file and compares it with its record. Does not throw for a file that is not as it should be. */
  compareFile(file: RecordedFile, place: FilePlace): Promise<FileState>;
  /**
   * The parameters that a run would have: of a configuration by its bare name, or of the default. Throws
   * `CONFIG_…`.
   */
  plannedParams(config: string | undefined): ExecutionParams;
}

/** The logbook as tools and routes write it. The implementation is injected. */
export interface Logbook {
  /** Returns the id of the message. */
  note(request: NewNote): Promise<string>;
  quality(request: NewQuality): Promise<{ message_id: string; value: Quality; was: Quality }>;
  /**
   * Throws `ARGUMENT_INVALID` if `alarm` names none.
   * @returns who has seen it; `is_over` if it was over by then, `is_new` if that was not known before
   */
  seen(alarm: string, request: Author & { text: string | undefined }): Promise<Seen>;
}

interface Seen {
  alarm_id: string;
  seen_by: string;
  is_over: boolean;
  is_new: boolean;
}

/** A request from outside to start a run: a configuration's bare name and parameters of the workflow. */
export interface StartRequest {
  /** The caller's name as the server knows it. */
  by: string;
  config?: string | undefined;
  speed?: number | 'max' | undefined;
  /** `section.key` and value. */
  settings: Readonly<Record<string, string | number | boolean>>;
}

export interface ControlRequest {
  execution_id: string;
  reason: string | undefined;
  /** The caller's name as the server knows it, and the name of a person that the caller gave. */
  by: { name: string; claimed: string | undefined };
  patienceSeconds: number;
}

/**
 * The answer of a testbed that others run: when it was asked, when the request was sent (if it was), and how
 * it was heard, or until when nothing was.
 */
export interface TestbedAnswer {
  asked_at: string;
  sent_at?: string;
  heard_as?: string;
  not_taken_after?: string;
}

/** The state of a command: accepted, refused for a reason, or not yet received. */
export interface CommandState {
  effect: 'applied' | 'refused' | 'pending';
  sentence: string;
}

/** The control that tools have over executions. The implementation is injected if the operator allows it. */
export interface Control {
  /** Starts a run as its own process that outlives the server. Throws `SwfError` if it cannot start. */
  start(request: StartRequest): Promise<{ execution_id: string; run_number: number; pid: number }>;
  /** Asks an observed testbed for a run. Throws `ARGUMENT_INVALID` if no observer of it may send. */
  startTheirs(namespace: string, request: StartRequest): Promise<TestbedAnswer>;
  /** Asks an observed testbed to stop an execution. Throws as `startTheirs`. */
  stopTheirs(
    execution: { execution_id: string; told_id: string; namespace: string },
    request: ControlRequest,
  ): Promise<TestbedAnswer>;
  /** Throws `EXECUTION_NOT_FOUND`, or `EXECUTION_NOT_RUNNING` if it has ended or has no driver. */
  command(action: Action, request: ControlRequest): Promise<CommandState>;
  /**
   * Resumes an interrupted execution as its own process. Throws `EXECUTION_…` if it has ended or is driven.
   */
  resume(request: ControlRequest): Promise<CommandState>;
}
