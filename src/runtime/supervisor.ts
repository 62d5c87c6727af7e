import { randomUUID } from 'node:crypto';

import { AgentFailure, type Workplace } from '../agents/log-consumer.ts';
import { messageOf, SwfError } from '../lib/errors.ts';

/** A part of the workflow that works at the same time as the others. */
export interface Part {
  /** The agent that it is. */
  name: string;
  work: () => Promise<void>;
  /** Whether it ends by itself once it is told that nothing more will come. */
  finishes?: boolean;
}

/**
 * Runs a part until the end. Where it cannot go on, the execution fails with its reason; where the store is at fault, this
 * process cannot go on, and the execution can be resumed.
 */
export async function supervise(
  { name, work }: Part,
  workplace: Workplace,
  onFault: (error: unknown) => void,
): Promise<void> {
  workplace.clock.enter();
  try {
    await work();
  } catch (error) {
    if (error instanceof SwfError) {
      onFault(error);
      return;
    }
    // Once the execution is judged, what else fails with it (a folder that has gone fails everybody) changes nothing.
    if (workplace.signal.aborted || workplace.finishing?.aborted === true) return;
    const filename = error instanceof AgentFailure ? error.filename : undefined;
    const reason = error instanceof AgentFailure ? error.message : `${name} failed: ${messageOf(error)}`;
    await requestStop(
      name,
      { state: 'failed', reason, ...(filename === undefined ? {} : { filename }) },
      workplace,
    ).catch(onFault);
  } finally {
    workplace.clock.leave();
  }
}

/** Records the request; the driver takes it up. */
export async function requestStop(
  sender: string,
  why: { state: 'stopped' | 'failed'; reason: string; filename?: string },
  { journal, clock }: Workplace,
): Promise<void> {
  await journal.step({
    sender,
    tick: clock.now(),
    says: [{ msg_type: 'stop_workflow', command_id: randomUUID(), ...why }],
  });
}
