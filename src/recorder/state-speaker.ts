import { requireExecution } from '../db/execution/find-execution.ts';
import { isHeld } from '../db/log/held.ts';
import { ownerOf } from '../db/presence/leases.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { type ExecutionParams, workflowParamsOf } from '../domain/params.ts';
import { reportOf } from '../exchange/reports.ts';
import { pause } from '../lib/deadline.ts';
import { utcNow } from '../lib/time.ts';
import type { ExecutionState } from '../messages/telemetry.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { Basics, Surroundings } from './surroundings.ts';

/** How often to send an execution's state, in milliseconds. */
const everyMilliseconds = beatSeconds * 1000;

/** How often to send the last state: this topic keeps messages for nobody. */
const lastWords = 5;

interface Driven {
  sender: string;
  /** At the speed of this driver. */
  params: ExecutionParams;
  said: string;
  /** How often the last state is still to be sent. */
  left: number;
}

/** The pause between two last states when the process ends, in milliseconds. */
const hurriedMilliseconds = 100;

/** Messages that change an execution's state. */
const changes: ReadonlySet<MessageType> = new Set<MessageType>([
  'run_imminent',
  'start_run',
  'pause_run',
  'resume_run',
  'end_run',
  'pause_workflow',
  'resume_workflow',
  'driver_started',
  'workflow_ended',
]);

export interface StateSpeakerOptions extends Basics, Pick<Surroundings, 'broker' | 'notifier'> {
  /** Called with every state sent: this process need not hear it from the broker. */
  onSaid: (state: ExecutionState) => void;
}

/** Sends remote agents the states of the executions that this process drives: every few seconds, and at each change. */
export class StateSpeaker {
  readonly #options: StateSpeakerOptions;
  readonly #driven = new Map<string, Driven>();
  readonly #closed = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(options: StateSpeakerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.sayAll(), everyMilliseconds);
    options.broker.onUp(() => this.sayAll());
    void this.#watch();
  }

  get isSpeaking(): boolean {
    return this.#driven.size > 0;
  }

  /** Call when this process starts driving an execution. @param sender the agent that speaks for it */
  add(executionId: string, sender: string, params: ExecutionParams): void {
    this.#driven.set(executionId, { sender, params, said: '', left: lastWords });
    this.sayAll(executionId);
  }

  /** Call when this process stops driving an execution that has not ended. */
  remove(executionId: string): void {
    this.#driven.delete(executionId);
  }

  /** Sends the remaining last states, and ends. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed.abort();
    while (this.#driven.size > 0 && this.#options.broker.isUp()) {
      this.sayAll();
      for (const [id, { left }] of this.#driven) if (left === lastWords) this.#driven.delete(id);
      await pause(hurriedMilliseconds);
    }
  }

  async #watch(): Promise<void> {
    const { notifier } = this.#options;
    let mark = notifier.mark(changes);
    while (!this.#closed.signal.aborted) {
      await notifier.news(this.#closed.signal, changes, mark);
      mark = notifier.mark(changes);
      for (const id of this.#driven.keys()) this.sayAll(id, true);
    }
  }

  /** Sends the states of all executions, or of one. @param isNewsOnly leaves out those that are as they were said last */
  sayAll(only?: string, isNewsOnly = false): void {
    try {
      for (const [id, driven] of this.#driven) if (only === undefined || only === id) this.#say(id, driven, isNewsOnly);
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  #say(id: string, driven: Driven, isNewsOnly: boolean): void {
    const { broker, destinations, onSaid } = this.#options;
    const state = this.#stateOf(id, driven);
    if (isNewsOnly && standOf(state) === driven.said) return;
    driven.said = standOf(state);
    onSaid(state);
    if (!broker.isUp()) return;
    broker.send(reportOf(destinations.telemetry, state)).catch(() => {});
    if (state.status !== 'running') driven.left -= 1;
    if (driven.left === 0) this.#driven.delete(id);
  }

  #stateOf(executionId: string, { sender, params }: Driven): ExecutionState {
    const { store, namespace, storeId } = this.#options;
    const { sql } = store;
    const execution = requireExecution(sql, executionId);
    return {
      msg_type: 'execution_state',
      sender,
      namespace,
      timestamp: utcNow(),
      execution_id: executionId,
      store_id: storeId,
      epoch: ownerOf(sql, executionId)?.epoch ?? 1,
      run_id: String(execution.run_number),
      phase: execution.phase,
      status: execution.status,
      held: isHeld(sql, executionId),
      workflow_params: workflowParamsOf(params),
      plan_version: params.plan_version,
      max_retries: params.worker.max_retries,
    };
  }
}

/** An execution's state, apart from the time. */
const standOf = ({ epoch, phase, status, held }: ExecutionState): string => `${epoch} ${phase} ${status} ${held}`;
