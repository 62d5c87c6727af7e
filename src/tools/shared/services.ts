import type { Author, NewNote, NewQuality } from '../../db/logbook/entries.ts';
import type { RecordedFile } from '../../db/reports/recorded-files.ts';
import type { Quality } from '../../domain/logbook-words.ts';
import type { ExecutionParams } from '../../domain/params.ts';
import type { Action } from '../../domain/states.ts';

/** How a file compares with its record. */
export interface FileState {
  state: 'fine' | 'missing' | 'changed' | 'unreachable';
  found_bytes?: number;
  found_checksum?: string;
  problem?: string;
}

/** Where the data files of an execution are. */
export interface FilePlace {
  execution_id: string;
  /** The folder that holds the files of all executions. */
  dir: string;
  frameBytes: number;
  /** The URL under which `dir` is published; undefined if it is not published. */
  url: string | undefined;
}

/** The services that tools need from this machine in addition to the store. The implementation is injected. */
export interface Services {
  /** Reads a file and compares it with its record. Does not throw for a file that differs from its record. */
  compareFile(file: RecordedFile, place: FilePlace): Promise<FileState>;
  /**
   * The parameters that a run would have: from the configuration with this bare name, or from the default
   * one. Throws `CONFIG_…`.
   */
  plannedParams(config: string | undefined): ExecutionParams;
}

/** The logbook to which tools and routes write. The implementation is injected. */
export interface Logbook {
  /** Returns the id of the message. */
  note(request: NewNote): Promise<string>;
  quality(request: NewQuality): Promise<{ message_id: string; value: Quality; was: Quality }>;
  /**
   * Throws `ARGUMENT_INVALID` if `alarm` names no alarm.
   * @returns who has seen the alarm; `is_over`: it was already over; `is_new`: no one had seen it before
   */
  seen(alarm: string, request: Author & { text: string | undefined }): Promise<Seen>;
}

interface Seen {
  alarm_id: string;
  seen_by: string;
  is_over: boolean;
  is_new: boolean;
}

/** A request from outside to start a run: the bare name of a configuration, and workflow parameters. */
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
  /** The caller's name as the server knows it, and the name of a person, as claimed by the caller. */
  by: { name: string; claimed: string | undefined };
  patienceSeconds: number;
}

/**
 * The answer of a testbed that others run: when the request was made, when it was sent (if it was), and how the
 * testbed reacted or, if it did not, how long it was observed.
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

/** The control that tools have over executions. The implementation is injected if the operator allows control. */
export interface Control {
  /** Starts a run in a separate process, which outlives the server. Throws `SwfError` if the run cannot start. */
  start(request: StartRequest): Promise<{ execution_id: string; run_number: number; pid: number }>;
  /** Requests a run from an observed testbed. Throws `ARGUMENT_INVALID` if none of its observers may send. */
  startTheirs(namespace: string, request: StartRequest): Promise<TestbedAnswer>;
  /** Asks an observed testbed to stop an execution. Throws the same errors as `startTheirs`. */
  stopTheirs(
    execution: { execution_id: string; told_id: string; namespace: string },
    request: ControlRequest,
  ): Promise<TestbedAnswer>;
  /** Throws `EXECUTION_NOT_FOUND`, or `EXECUTION_NOT_RUNNING` if the execution has ended or has no driver. */
  command(action: Action, request: ControlRequest): Promise<CommandState>;
  /**
   * Resumes an interrupted execution in a separate process. Throws `EXECUTION_…` if the execution has ended
   * or has a driver.
   */
  resume(request: ControlRequest): Promise<CommandState>;
}
