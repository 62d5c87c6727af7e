import type { Action } from '../../domain/states.ts';

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

/** The answer of a testbed that others run: when it was asked, when that was sent if it was, and how it was heard, or until when nothing was. */
export interface TestbedAnswer {
  asked_at: string;
  sent_at?: string;
  heard_as?: string;
  not_taken_after?: string;
}

/** The state of a command: taken up, refused for a reason, or not yet heard. */
export interface CommandState {
  effect: 'applied' | 'refused' | 'pending';
  sentence: string;
}

/** The control that tools have over executions. The implementation is injected if the operator allows it. */
export interface Control {
  /** Starts a run as a process of its own that outlives the server. Throws `SwfError` if it cannot start. */
  start(request: StartRequest): Promise<{ execution_id: string; run_number: number; pid: number }>;
  /** Asks an observed testbed for a run. Throws `ARGUMENT_INVALID` if no observer of it may send. */
  startTheirs(namespace: string, request: StartRequest): Promise<TestbedAnswer>;
  /** Asks an observed testbed to stop an execution. Throws as `startTheirs`. */
  stopTheirs(
    execution: { execution_id: string; told_id: string; namespace: string },
    request: ControlRequest,
  ): Promise<TestbedAnswer>;
  /** Throws `EXECUTION_NOT_FOUND`, or `EXECUTION_NOT_RUNNING` if it has ended or nobody drives it. */
  command(action: Action, request: ControlRequest): Promise<CommandState>;
  /** Resumes an interrupted execution as a process of its own. Throws `EXECUTION_…` if it has ended or is driven. */
  resume(request: ControlRequest): Promise<CommandState>;
}
