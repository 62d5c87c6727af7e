import { setImmediate as nextTurn } from 'node:timers/promises';

import {
  type DaqStep,
  advance,
  type DaqPosition,
  nextStep,
  startPosition,
  type TimedStep,
} from '../domain/daq-schedule.ts';
import type { EffectCode } from '../domain/effects.ts';
import { stfFilename } from '../domain/file-names.ts';
import { workflowParamsOf, type WorkflowParams } from '../domain/params.ts';
import type { PreparedFile } from '../files/data-files.ts';
import type { LogLine } from '../lib/logger.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { ExecutionContext, AgentRole } from './agent.ts';
import type { Journal, Step } from './ports.ts';

type Context = ExecutionContext['agent'];

/**
 * Builds the message for one step of the schedule. For an STF, first publishes its file, which may already
 * be `written`. Throws the errors of `DataFiles`.
 */
async function draftOf(step: DaqStep, context: Context, written?: Promise<PreparedFile>): Promise<Draft> {
  switch (step.msg_type) {
    case 'run_imminent': {
      const workflow_params = workflowParamsOf(context.params);
      return { msg_type: 'run_imminent', state: 'beam', substate: 'not_ready', workflow_params };
    }
    case 'start_run':
      return { msg_type: 'start_run', state: 'physics' };
    case 'stf_gen':
      return {
        msg_type: 'stf_gen',
        filename: stfFilename(context.run_number, step.sequence),
        sequence: step.sequence,
        tf_count: context.params.daq_state_machine.tf_per_stf,
        state: 'physics',
        file_url: (await (await (written ?? writeStf(step.sequence, context))).publish()).file_url,
      };
    case 'pause_run':
    case 'resume_run':
      return { msg_type: step.msg_type, ordinal: step.ordinal, reason: step.reason };
    case 'end_run':
      return { msg_type: 'end_run', total_stf_files: step.total_stf_files, reason: 'completed' };
  }
}

/** Writes the file of an STF, without publishing it. */
function writeStf(sequence: number, context: Context) {
  const { tf_per_stf: tf_count, tf_size_bytes: frameBytes } = context.params.daq_state_machine;
  const { run_number: run } = context;
  return context.files.prepareStf({ filename: stfFilename(run, sequence), run, sequence, tf_count, frameBytes });
}

function daqSentence(step: DaqStep) {
  switch (step.msg_type) {
    case 'run_imminent':
      return 'beam present, detector not ready; run imminent';
    case 'start_run':
      return 'physics begins';
    case 'stf_gen':
      return `STF ${step.sequence} was generated`;
    case 'pause_run':
      return `standby (${step.reason})`;
    case 'resume_run':
      return `physics continues (${step.reason})`;
    case 'end_run':
      return `the run ends after ${step.total_stf_files} STF files`;
  }
}

/** The messages that determine the simulator's place in its schedule. */
const scheduleTypes = ['run_imminent', 'start_run', 'stf_gen', 'pause_run', 'resume_run', 'end_run'] as const;

/** The driver, which is in the same process, also sends its messages in the DAQ simulator's name. */
export const daqSimulatorRole: AgentRole = {
  type: 'daq_simulator',
  emits: [...scheduleTypes, 'driver_started', 'driver_ended', 'driver_lost', 'workflow_ended'],
};

/** Finds the place in the schedule from the simulator's messages so far. */
function readPosition(journal: Journal, params: WorkflowParams) {
  let position = startPosition;
  let after = 0;
  for (;;) {
    const { messages } = journal.read(scheduleTypes, after, 1000);
    if (messages.length === 0) return position;
    for (const { seq, message } of messages) {
      after = seq;
      const step = { ...(message as Message & TimedStep), tick: message.simulation_tick ?? 0 };
      position = advance(position, step, params);
    }
  }
}

/** How many STFs to send before checking again whether a consumer is far behind. */
const backpressureEvery = 10;

/** An operator's request. Only the simulator can carry it out, since only it sends `pause_run` and `resume_run`. */
type PauseCommand = Message<'pause_workflow' | 'resume_workflow'>;

interface DaqOptions {
  name: string;
  /** Resolves when no consumer is too far behind: the simulator is the only part that waits for the others. */
  readersCaughtUp: () => Promise<void>;
  /** The oldest pending request. */
  pendingPause: () => PauseCommand | undefined;
  /** A signal that is aborted when a request may have arrived, or when everything ends. */
  wakeSignal: () => AbortSignal;
}

/** Reasons why a request changes nothing. */
export const pauseRefusals = {
  paused: { code: 'ALREADY', reason: 'is already paused' },
  running: { code: 'ALREADY', reason: 'is not paused' },
  ended: { code: 'REFUSED', reason: 'the DAQ is done; its remaining slices are still being processed' },
} as const satisfies Record<string, { code: EffectCode; reason: string }>;

/**
 * Sends the schedule's messages, each at its time, until the run has ended or the execution is stopped. Writes
 * an STF's file before announcing it. An operator's pause stops the schedule's clock. When no STFs are due
 * anyway (before physics, in standby), the pause only holds back the next step. Throws the errors of
 * `Journal.step`, and `DATA_UNAVAILABLE` if the disk fails.
 */
export async function runDaqSimulator(options: DaqOptions, execution: ExecutionContext) {
  const { clock, lifetime } = execution;
  const { pendingPause, readersCaughtUp, wakeSignal } = options;
  const schedule = openSchedule(options.name, execution);
  /** Whether an operator is holding back the next step. */
  let isHeld = false;

  /** Ends an operator's pause when the execution is resumed, unless another request to pause is pending. */
  function goOn() {
    const command = pendingPause();
    if (command?.msg_type !== 'pause_workflow') return schedule.sayPause('resume_run', []);
    return schedule.record({ takes: [messageIdOf(command)] });
  }

  /** Waits for the next step and sends its message. Returns whether the schedule has ended. */
  async function goToNextStep() {
    const step = schedule.next();
    const due = isHeld ? Infinity : step.tick;
    await clock.sleepUntil(due, wakeSignal());
    if (clock.now() < due || pendingPause() !== undefined) return false;
    if (lifetime.stopped.aborted || step.msg_type === 'finished') return true;
    if (step.msg_type === 'stf_gen' && step.sequence % backpressureEvery === 0) await readersCaughtUp();
    if (lifetime.stopped.aborted) return true;
    await schedule.say(step);
    // A schedule without delays must not starve signals and timers.
    await nextTurn();
    return false;
  }

  function hold(id: string) {
    isHeld = !isHeld;
    const message = isHeld ? 'an operator put the next step on hold' : 'the next step is no longer on hold';
    return schedule.hold({ takes: [id], logs: [{ level: 'INFO', message }] });
  }

  function follow(command: PauseCommand) {
    const id = messageIdOf(command);
    const refuse = (why: keyof typeof pauseRefusals) => schedule.record({ refuses: [{ id, ...pauseRefusals[why] }] });
    const { pausedAt, last } = schedule.position();
    const isPaused = pausedAt !== undefined;
    if (command.msg_type === 'resume_workflow' && isPaused) return schedule.sayPause('resume_run', [id]);
    if (command.msg_type === 'resume_workflow') return isHeld ? hold(id) : refuse('running');
    if (isPaused || isHeld) return refuse('paused');
    if (last?.msg_type === 'end_run') return refuse('ended');
    return isInPhysics(last) ? schedule.sayPause('pause_run', [id]) : hold(id);
  }

  try {
    if (schedule.position().pausedAt !== undefined) await goOn();
    while (!lifetime.stopped.aborted) {
      const command = pendingPause();
      if (command !== undefined) await follow(command);
      else if (await goToNextStep()) return;
    }
  } finally {
    await schedule.close();
  }
}

/** Where a run is in its schedule, and how its steps are sent. */
function openSchedule(name: string, { agent, clock, journal }: ExecutionContext) {
  let position = readPosition(journal, agent.params);
  /** A delayed step runs when it is released, not at its planned tick. */
  let heldUntil = 0;
  /** The next STF, whose file is written while the other agents handle the previous STF. */
  let ahead: { sequence: number; file: Promise<PreparedFile> } | undefined;

  function draftFor(step: TimedStep) {
    if (step.msg_type !== 'stf_gen' || ahead?.sequence !== step.sequence) return draftOf(step, agent);
    const { file } = ahead;
    ahead = undefined;
    return draftOf(step, agent, file);
  }

  function writeAhead(step: ReturnType<typeof nextStep>) {
    // An operator's pause does not change which STF is next.
    if (step.msg_type !== 'stf_gen' || ahead !== undefined) return;
    const file = writeStf(step.sequence, agent);
    // The file is awaited when the STF is announced; until then, a failure must not count as unhandled.
    file.catch(() => {});
    ahead = { sequence: step.sequence, file };
  }

  async function say(step: TimedStep, takes: string[] = []) {
    const draft = await draftFor(step);
    const next = advance(position, step, agent.params);
    writeAhead(nextStep(next, agent.params));
    const logs: LogLine[] = [{ level: 'INFO', message: daqSentence(step) }];
    await journal.step({ sender: name, tick: step.tick, says: [draft], logs, takes });
    position = next;
  }

  /** Records the outcome of a request that changes nothing in the schedule. */
  async function record(step: Pick<Step, 'takes' | 'refuses' | 'logs'>) {
    await journal.step({ sender: name, tick: clock.now(), says: [], ...step });
  }

  return {
    position: () => position,
    next: () => nextStep(position, agent.params),
    say: (step: TimedStep) => say({ ...step, tick: Math.max(step.tick, heldUntil) }),
    sayPause(msg_type: 'pause_run' | 'resume_run', takes: string[]) {
      heldUntil = clock.now();
      return say({ msg_type, ordinal: position.ordinal + 1, reason: 'operator', tick: heldUntil }, takes);
    },
    record,
    /** Records that the next step is put on hold, or released. */
    hold(step: Parameters<typeof record>[0]) {
      heldUntil = clock.now();
      return record(step);
    },
    /** Discards the file that was written ahead, if any: it is never announced if the run ended early. */
    async close() {
      const file = await ahead?.file.catch(() => undefined);
      await file?.discard();
    },
  };
}

const isInPhysics = (last: DaqPosition['last']) =>
  last?.msg_type === 'start_run' || last?.msg_type === 'resume_run' || last?.msg_type === 'stf_gen';
