import { randomUUID } from 'node:crypto';

import { type ExecutionContext, AgentFailure } from '../agents/agent.ts';
import { messageOf, SwfError } from '../lib/errors.ts';

/** A part of an execution that runs concurrently with others. */
export interface Task {
  /** The agent that does the work. */
  name: string;
  work: () => Promise<void>;
  /** Whether the task ends on its own once the execution drains. */
  drains?: boolean;
}

/**
 * Runs a task to its end. If the task cannot continue, its execution fails for that reason. An error in this
 * process, for example in its store, goes to `onFault` instead: the execution can be resumed.
 */
export async function supervise({ name, work }: Task, execution: ExecutionContext, onFault: (error: unknown) => void) {
  execution.clock.enter();
  try {
    await work();
  } catch (error) {
    if (error instanceof SwfError) onFault(error);
    // Ignore further failures once the execution drains: a missing folder, for example, makes every agent fail.
    else if (!execution.lifetime.draining.aborted) await failWith(name, error, execution).catch(onFault);
  } finally {
    execution.clock.leave();
  }
}

function failWith(name: string, error: unknown, execution: ExecutionContext) {
  const filename = error instanceof AgentFailure ? error.filename : undefined;
  const reason = error instanceof AgentFailure ? error.message : `${name} failed: ${messageOf(error)}`;
  return requestStop(name, { state: 'failed', reason, filename }, execution);
}

/** Records a request to end the execution. The driver carries the request out. */
export async function requestStop(
  sender: string,
  why: { state: 'stopped' | 'failed'; reason: string; filename?: string | undefined },
  { journal, clock }: Pick<ExecutionContext, 'journal' | 'clock'>,
) {
  const says = [{ msg_type: 'stop_workflow' as const, command_id: randomUUID(), ...why }];
  await journal.step({ sender, tick: clock.now(), says });
}

/** A signal that can be rung repeatedly. Once `ended` is aborted, the signal stays aborted. */
export function createWakeSignal(ended: AbortSignal) {
  let current = new AbortController();
  ended.addEventListener('abort', () => current.abort());
  return {
    /** Aborted at the next `ring`. */
    signal: () => current.signal,
    ring() {
      const before = current;
      if (!ended.aborted) current = new AbortController();
      before.abort();
    },
  };
}

export type WakeSignal = ReturnType<typeof createWakeSignal>;
