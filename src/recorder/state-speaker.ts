import { requireExecution } from '../db/execution/find-execution.ts';
import { isHeld } from '../db/log/commands.ts';
import { ownerOf } from '../db/presence/leases.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { type ExecutionParams, workflowParamsOf } from '../domain/params.ts';
import { reportOf } from '../exchange/wire.ts';
import { pause } from '../lib/deadline.ts';
import { utcNow } from '../lib/time.ts';
import type { ExecutionState } from '../messages/telemetry.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { Basics, Surroundings } from './surroundings.ts';

/** How often to send an execution's state, in milliseconds. */
const everyMilliseconds = beatSeconds * 1000;

/** How many times to send the last state, which a listener could miss: this topic keeps no messages. */
const lastWords = 5;

interface Driven {
  sender: string;
  /** The execution's parameters, with this driver's speed. */
  params: ExecutionParams;
  said: string;
  /** How many times the last state is still to be sent. */
  left: number;
}

/** The pause, in milliseconds, before a process that is ending sends the last states again. */
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

interface StateSpeakerOptions extends Basics, Pick<Surroundings, 'broker' | 'notifier'> {
  /** The workers that are resting, and those on trial. */
  restingOf: (executionId: string) => Pick<ExecutionState, 'resting' | 'on_trial'>;
  /** Called with every state that is sent, so that this process need not receive it from the broker. */
  onSaid: (state: ExecutionState) => void;
}

/** Sends remote agents the states of the executions that this process drives: every few seconds, and at each change. */
export function createStateSpeaker(options: StateSpeakerOptions) {
  const { broker, notifier, destinations, onSaid, onFault } = options;
  const allDriven = new Map<string, Driven>();
  const closed = new AbortController();

  function say(id: string, driven: Driven, isNewsOnly: boolean, over?: string[]) {
    const state = { ...stateOf(id, driven, options), over };
    if (isNewsOnly && standOf(state) === driven.said) return;
    driven.said = standOf(state);
    onSaid(state);
    if (!broker.isUp()) return;
    broker.send(reportOf(destinations.telemetry, state)).catch(() => {});
    if (state.status !== 'running') driven.left -= 1;
    if (driven.left === 0) allDriven.delete(id);
  }

  /** Sends the states of all executions, or of one. @param isNewsOnly whether to skip unchanged states */
  function sayAll(only?: string, isNewsOnly = false, over?: string[]) {
    try {
      for (const [id, driven] of allDriven) if (only === undefined || only === id) say(id, driven, isNewsOnly, over);
    } catch (error) {
      onFault(error);
    }
  }

  async function watch() {
    let mark = notifier.mark(changes);
    while (!closed.signal.aborted) {
      await notifier.news(closed.signal, changes, mark);
      mark = notifier.mark(changes);
      for (const id of allDriven.keys()) sayAll(id, true);
    }
  }

  const timer = setInterval(() => sayAll(), everyMilliseconds);
  broker.onUp(() => sayAll());
  void watch();
  return {
    sayAll,
    isSpeaking: () => allDriven.size > 0,
    /** To be called when this process starts driving an execution. @param sender the agent that sends its messages */
    add(executionId: string, sender: string, params: ExecutionParams) {
      allDriven.set(executionId, { sender, params, said: '', left: lastWords });
      sayAll(executionId);
    },
    /** To be called when this process stops driving an execution that has not ended. */
    remove: (executionId: string) => void allDriven.delete(executionId),
    /** Sends each last state the remaining number of times, and ends. */
    async close() {
      clearInterval(timer);
      closed.abort();
      while (allDriven.size > 0 && broker.isUp()) {
        sayAll();
        for (const [id, { left }] of allDriven) if (left === lastWords) allDriven.delete(id);
        await pause(hurriedMilliseconds);
      }
    },
  };
}

function stateOf(executionId: string, { sender, params }: Driven, options: StateSpeakerOptions): ExecutionState {
  const { store, namespace, storeId, restingOf } = options;
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
    // Only executions of other programs can have an unknown status.
    status: execution.status === 'unknown' ? 'running' : execution.status,
    held: isHeld(sql, executionId),
    workflow_params: workflowParamsOf(params),
    plan_version: params.plan_version,
    max_retries: params.worker.max_retries,
    ...restingOf(executionId),
  };
}

/** The parts of an execution's state whose changes are news. */
const standOf = ({ epoch, phase, status, held }: ExecutionState) => `${epoch} ${phase} ${status} ${held}`;
