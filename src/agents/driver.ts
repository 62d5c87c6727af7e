import type { Counts } from '../domain/counts.ts';
import type { LogLine } from '../lib/logger.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import { commandTypes, type MessageType } from '../messages/vocabulary.ts';
import type { ExecutionContext } from './agent.ts';
import { pauseRefusals } from './daq-simulator.ts';
import type { Overview, Step } from './ports.ts';

export interface DriverOptions {
  /** The agent in whose name the driver sends messages: the DAQ simulator. */
  name: string;
  overview: Overview;
  /** The epoch of the driver's lease. */
  epoch: number;
  /** Whether the DAQ simulator has reached the end of its schedule. */
  daqIsDone: () => boolean;
  /** Called when an operator asks to pause or resume; the DAQ simulator carries out the request. */
  onPause: () => void;
}

/**
 * Only these messages wake the driver: checking after each of the many other messages would cost more than
 * handling them.
 */
const wakesWhileDaqWorks = new Set<MessageType>([...commandTypes, 'end_run']);
const wakesAfterDaq = new Set<MessageType>([...wakesWhileDaqWorks, 'stf_ready', 'tf_file_registered', 'slice_result']);

/** How an execution ended. */
type Verdict = { status: 'completed' } | { status: 'failed' | 'terminated'; stop: Message<'stop_workflow'> };

/**
 * Waits until everything in the execution is done, or a stop is requested. Judges by the projection, never by a
 * consumer's cursor. Returns undefined if this process stops driving the execution first. Throws the errors of
 * `Journal.step`.
 */
export async function awaitVerdict(
  { name, overview, daqIsDone, onPause }: DriverOptions,
  { notifier, lifetime, journal, clock }: ExecutionContext,
): Promise<Verdict | undefined> {
  while (!lifetime.stopped.aborted) {
    const stop = overview.pendingStop();
    if (stop !== undefined) return { status: stop.state === 'failed' ? 'failed' : 'terminated', stop };
    if (daqIsDone() && overview.isSettled()) return { status: 'completed' };
    const pause = overview.pendingPause();
    if (pause !== undefined && !daqIsDone()) onPause();
    else if (pause !== undefined) {
      const refuses = [{ id: messageIdOf(pause), ...pauseRefusals.ended }];
      await journal.step({ sender: name, tick: clock.now(), says: [], refuses });
      continue;
    }
    await notifier.news(lifetime.stopped, daqIsDone() ? wakesAfterDaq : wakesWhileDaqWorks);
  }
  return undefined;
}

/**
 * Records the end of an execution in one step: `end_run` unless already sent, `driver_ended`, and
 * `workflow_ended` last.
 */
export async function endExecution(
  verdict: Verdict,
  { name, overview, epoch }: DriverOptions,
  { journal, clock }: Pick<ExecutionContext, 'journal' | 'clock'>,
) {
  const { status } = verdict;
  const reason = status === 'completed' ? 'completed' : (verdict.stop.reason ?? 'stopped by request');
  const message =
    status === 'completed'
      ? 'the execution has completed'
      : `the execution ${status === 'failed' ? 'failed' : 'was terminated'}: ${reason}`;
  await journal.step({
    sender: name,
    tick: clock.now(),
    // The context distinguishes this line, which repeats the reason, from the errors that led to it.
    logs: [{ level: status === 'failed' ? 'ERROR' : 'INFO', message, context: { verdict: status } }],
    ...(status === 'completed' ? {} : { takes: [messageIdOf(verdict.stop)] }),
    says: () => [
      ...endOfRun(verdict, overview),
      { msg_type: 'driver_ended', epoch, cause: 'finished' },
      { msg_type: 'workflow_ended', status, reason, ...finalCounts(verdict, overview.counts()) },
    ],
  });
}

/**
 * Why a driver leaves a running execution: the driver was interrupted, or it failed. The execution can be resumed.
 */
export type Leave = { cause: 'interrupted' } | { cause: 'fault'; code?: string | undefined; reason: string };

/** The step that records that a driver is leaving; its row is the last of the driver's epoch. */
export function leavingStep(why: Leave, { name, epoch }: DriverOptions, { clock }: ExecutionContext): Step {
  // The context distinguishes this line, which the process prints to its own terminal, from agents' lines.
  const context = { driver_ended: why.cause };
  const line: LogLine =
    why.cause === 'interrupted'
      ? { level: 'WARNING', message: 'the driver was interrupted; the execution can be resumed', context }
      : {
          level: 'ERROR',
          message: `the driver could not continue: ${why.code ?? 'internal error'}: ${why.reason}`,
          context,
        };
  return { sender: name, tick: clock.now(), says: [{ msg_type: 'driver_ended', epoch, ...why }], logs: [line] };
}

/**
 * The final counts. If the execution was stopped or failed, its slices in hand are abandoned and count as
 * queued again.
 */
function finalCounts({ status }: Verdict, counts: Counts) {
  if (status === 'completed') return counts;
  const { slices_queued, slices_processing } = counts;
  return { ...counts, slices_queued: slices_queued + slices_processing, slices_processing: 0 };
}

function endOfRun(verdict: Verdict, overview: Overview): Draft[] {
  const phase = overview.phase();
  // A run that was never announced needs no `end_run`.
  if (verdict.status === 'completed' || phase === 'none' || phase === 'completed') return [];
  const reason = verdict.status === 'failed' ? 'failed' : 'stopped';
  return [{ msg_type: 'end_run', total_stf_files: overview.counts().stf_count, reason }];
}
