import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Draft, Message, MessageType } from '../bus/messages.ts';
import type { Journal } from '../workflow/journal.ts';
import type { WorkflowParams } from '../workflow/params.ts';
import { stfFilename } from '../workflow/plan.ts';
import {
  advance,
  type DaqPosition,
  type DaqStep,
  nextStep,
  startPosition,
  type TimedStep,
} from '../workflow/schedule.ts';
import type { Workplace } from './reader.ts';

/** The simulator's own messages: its place in the schedule is read from them. */
const ownTypes: readonly MessageType[] = ['run_imminent', 'start_run', 'stf_gen', 'pause_run', 'resume_run', 'end_run'];

/** Where the schedule stands by what the simulator has said so far. */
export function readPosition(journal: Journal, params: WorkflowParams): DaqPosition {
  let position = startPosition;
  let after = 0;
  for (;;) {
    const { messages } = journal.read(ownTypes, after, 1000);
    if (messages.length === 0) return position;
    for (const { seq, message } of messages) {
      after = seq;
      position = advance(position, asStep(message), params);
    }
  }
}

function asStep(message: Message): TimedStep {
  const step = message as Message & DaqStep;
  return { ...step, tick: message.simulation_tick ?? 0 };
}

export interface DaqOptions {
  name: string;
  /** Resolves when no reader is too far behind: the simulator is the only one that waits for the others. */
  readersCaughtUp: () => Promise<void>;
}

/**
 * Says what the schedule says, each at its time, until the run is over or `signal` is aborted.
 * An STF's file is there before it is announced.
 */
export async function runDaqSimulator({ name, readersCaughtUp }: DaqOptions, workplace: Workplace): Promise<void> {
  const { journal, clock, signal, context } = workplace;
  let position = readPosition(journal, context.params);
  for (;;) {
    const step = nextStep(position, context.params);
    await clock.sleepUntil(step.tick, signal);
    if (signal.aborted || step.msg_type === 'finished') return;
    if (step.msg_type === 'stf_gen') await readersCaughtUp();
    if (signal.aborted) return;
    const says = await draftOf(step, workplace);
    await journal.step({
      sender: name,
      tick: step.tick,
      says: [says],
      logs: [{ level: 'INFO', message: sentence(step) }],
    });
    position = advance(position, step, context.params);
    // A schedule without delays must not keep signals and timers from being served.
    await nextTurn();
  }
}

async function draftOf(step: DaqStep, { context }: Workplace): Promise<Draft> {
  switch (step.msg_type) {
    case 'run_imminent': {
      const { worker: _, ...workflow_params } = context.params;
      return { msg_type: 'run_imminent', state: 'beam', substate: 'not_ready', workflow_params };
    }
    case 'start_run':
      return { msg_type: 'start_run', state: 'physics' };
    case 'stf_gen':
      return generateStf(step.sequence, context);
    case 'pause_run':
    case 'resume_run':
      return { msg_type: step.msg_type, ordinal: step.ordinal, reason: step.reason };
    case 'end_run':
      return { msg_type: 'end_run', total_stf_files: step.total_stf_files, reason: 'completed' };
  }
}

async function generateStf(sequence: number, context: Workplace['context']): Promise<Draft> {
  const { tf_per_stf: tf_count, tf_size_bytes: frameBytes } = context.params.daq_state_machine;
  const filename = stfFilename(context.run_number, sequence);
  const { file_url } = await context.files.writeStf({
    filename,
    run: context.run_number,
    sequence,
    tf_count,
    frameBytes,
  });
  return {
    msg_type: 'stf_gen',
    filename,
    sequence,
    tf_count,
    state: 'physics',
    ...(file_url === undefined ? {} : { file_url }),
  };
}

function sentence(step: DaqStep): string {
  switch (step.msg_type) {
    case 'run_imminent':
      return 'beam, not ready: a run is imminent';
    case 'start_run':
      return 'physics begins';
    case 'stf_gen':
      return `STF ${step.sequence} is generated`;
    case 'pause_run':
      return `standby (${step.reason})`;
    case 'resume_run':
      return `physics goes on (${step.reason})`;
    case 'end_run':
      return `the run ends with ${step.total_stf_files} STF files`;
  }
}
