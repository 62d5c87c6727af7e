import { setImmediate as nextTurn } from 'node:timers/promises';

import {
  advance,
  type DaqPosition,
  type DaqStep,
  nextStep,
  startPosition,
  type TimedStep,
} from '../domain/daq-schedule.ts';
import type { WorkflowParams } from '../domain/params.ts';
import { stfFilename } from '../domain/plan.ts';
import { type Draft, type Message, messageIdOf, type MessageType } from '../messages/vocabulary.ts';
import type { Workplace } from './log-consumer.ts';
import type { Journal } from './ports.ts';

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

/** After so many STFs it is looked whether somebody is far behind. */
const looksEvery = 10;

/** An operator's request, which the simulator alone can follow: nobody else says `pause_run` and `resume_run`. */
type PauseCommand = Message<'pause_workflow' | 'resume_workflow'>;

export interface DaqOptions {
  name: string;
  /** Resolves when no reader is too far behind: the simulator is the only one that waits for the others. */
  readersCaughtUp: () => Promise<void>;
  /** The oldest request that waits. */
  pendingPause: () => PauseCommand | undefined;
  /** A signal that is aborted when there may be a request, or when all is to end. */
  nudged: () => AbortSignal;
}

/** Why a request changes nothing. */
export const pauseRefusals = {
  paused: 'is paused already',
  running: 'is not paused',
  ended: 'the run has ended; what is left of its slices is worked off',
} as const;

/**
 * Says what the schedule says, each at its time, until the run is over or `signal` is aborted.
 * An STF's file is there before it is announced. An operator's pause stops the schedule's clock; where no STFs are made anyway
 * (before physics, in standby), it only holds the next step back.
 */
export async function runDaqSimulator(options: DaqOptions, workplace: Workplace): Promise<void> {
  const { name, readersCaughtUp, pendingPause, nudged } = options;
  const { journal, clock, signal, context } = workplace;
  let position = readPosition(journal, context.params);
  let isHeld = false;
  // What was held back comes when it may, not when it was planned.
  let heldUntil = 0;

  const say = async (step: TimedStep, takes: string[] = []): Promise<void> => {
    const says = await draftOf(step, workplace);
    await journal.step({
      sender: name,
      tick: step.tick,
      says: [says],
      logs: [{ level: 'INFO', message: sentence(step) }],
      takes,
    });
    position = advance(position, step, context.params);
  };
  const sayPause = (msg_type: 'pause_run' | 'resume_run', takes: string[]): Promise<void> => {
    heldUntil = clock.now();
    return say({ msg_type, ordinal: position.ordinal + 1, reason: 'operator', tick: heldUntil }, takes);
  };
  const hold = async (held: boolean, id: string): Promise<void> => {
    isHeld = held;
    heldUntil = clock.now();
    const message = held ? 'an operator holds the next step back' : 'the next step is no longer held back';
    await journal.step({
      sender: name,
      tick: clock.now(),
      says: [],
      takes: [id],
      logs: [{ level: 'INFO', message }],
    });
  };
  const refuse = (id: string, why: keyof typeof pauseRefusals): Promise<unknown> =>
    journal.step({ sender: name, tick: clock.now(), says: [], refuses: [{ id, reason: pauseRefusals[why] }] });

  const follow = async (command: PauseCommand): Promise<void> => {
    const id = messageIdOf(command);
    const isPaused = position.pausedAt !== undefined;
    if (command.msg_type === 'resume_workflow') {
      if (isPaused) await sayPause('resume_run', [id]);
      else if (isHeld) await hold(false, id);
      else await refuse(id, 'running');
    } else if (isPaused || isHeld) await refuse(id, 'paused');
    else if (position.last?.msg_type === 'end_run') await refuse(id, 'ended');
    else if (isInPhysics(position)) await sayPause('pause_run', [id]);
    else await hold(true, id);
  };

  // Whoever resumes an execution that an operator had paused wants it to go on.
  if (position.pausedAt !== undefined) await sayPause('resume_run', []);
  while (!signal.aborted) {
    const command = pendingPause();
    if (command !== undefined) {
      await follow(command);
      continue;
    }
    const step = nextStep(position, context.params);
    const due = isHeld ? Infinity : step.tick;
    await clock.sleepUntil(due, nudged());
    if (clock.now() < due || pendingPause() !== undefined) continue;
    if (signal.aborted || step.msg_type === 'finished') return;
    if (step.msg_type === 'stf_gen' && step.sequence % looksEvery === 0) await readersCaughtUp();
    if (signal.aborted) return;
    await say({ ...step, tick: Math.max(step.tick, heldUntil) });
    // A schedule without delays must not keep signals and timers from being served.
    await nextTurn();
  }
}

const isInPhysics = ({ last }: DaqPosition): boolean =>
  last?.msg_type === 'start_run' || last?.msg_type === 'resume_run' || last?.msg_type === 'stf_gen';

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
