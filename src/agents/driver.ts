import { type Draft, type Message, type MessageType, messageIdOf } from '../messages/vocabulary.ts';
import { pauseRefusals } from './daq-simulator.ts';
import type { Workplace } from './log-consumer.ts';
import type { Counts, Overview } from './ports.ts';

export interface DriverOptions {
  /** The agent that the driver speaks as: the DAQ simulator. */
  name: string;
  overview: Overview;
  /** Whether the DAQ simulator has come to the end of its schedule. */
  daqIsDone: () => boolean;
  /** Called when an operator asks to pause or to go on, which the DAQ simulator has to do. */
  onPause: () => void;
}

const commands = ['stop_workflow', 'pause_workflow', 'resume_workflow'] as const;

/** What may change the verdict: a look at each of the many other messages would cost more than they do. */
const whileDaqWorks: ReadonlySet<MessageType> = new Set<MessageType>([...commands, 'end_run']);
const whenDaqIsDone: ReadonlySet<MessageType> = new Set<MessageType>([
  ...commands,
  'end_run',
  'stf_ready',
  'tf_file_registered',
  'slice_result',
]);

/** How the driver found the execution to be over. */
export type Verdict = { status: 'completed' } | { status: 'failed' | 'terminated'; stop: Message<'stop_workflow'> };

/**
 * Waits until the execution is over: everything is done, or somebody asks to stop it.
 * It judges by the projection, never by where a reader's cursor is. Undefined if `signal` is aborted first.
 */
export async function awaitVerdict(
  { name, overview, daqIsDone, onPause }: DriverOptions,
  { bus, signal, journal, clock }: Workplace,
): Promise<Verdict | undefined> {
  while (!signal.aborted) {
    const stop = overview.pendingStop();
    if (stop !== undefined) return { status: stop.state === 'failed' ? 'failed' : 'terminated', stop };
    if (daqIsDone() && overview.isSettled()) return { status: 'completed' };
    const pause = overview.pendingPause();
    if (pause !== undefined && !daqIsDone()) onPause();
    else if (pause !== undefined) {
      const refuses = [{ id: messageIdOf(pause), reason: pauseRefusals.ended }];
      await journal.step({ sender: name, tick: clock.now(), says: [], refuses });
      continue;
    }
    await bus.news(signal, daqIsDone() ? whenDaqIsDone : whileDaqWorks);
  }
  return undefined;
}

/** Says the last words of an execution, in one step: `end_run` where it has not been said, then `workflow_ended`. */
export async function endExecution(
  verdict: Verdict,
  { name, overview }: DriverOptions,
  { journal, clock }: Workplace,
): Promise<void> {
  const reason = verdict.status === 'completed' ? 'completed' : (verdict.stop.reason ?? 'stopped by request');
  await journal.step({
    sender: name,
    tick: clock.now(),
    logs: [
      verdict.status === 'failed'
        ? { level: 'ERROR', message: `the execution failed: ${reason}` }
        : { level: 'INFO', message: `the execution is ${verdict.status}: ${reason}` },
    ],
    ...(verdict.status === 'completed' ? {} : { takes: [messageIdOf(verdict.stop)] }),
    says: () => [
      ...lastOfRun(verdict, overview),
      { msg_type: 'workflow_ended', status: verdict.status, reason, ...finalCounts(verdict, overview.counts()) },
    ],
  });
}

/** The counts after the end: slices in hand of what is stopped, or has failed, are abandoned and wait again. */
function finalCounts({ status }: Verdict, counts: Counts): Counts {
  if (status === 'completed') return counts;
  const { slices_queued, slices_processing } = counts;
  return { ...counts, slices_queued: slices_queued + slices_processing, slices_processing: 0 };
}

function lastOfRun(verdict: Verdict, overview: Overview): Draft[] {
  const phase = overview.phase();
  // A run that nobody was told of has no end.
  if (verdict.status === 'completed' || phase === 'none' || phase === 'completed') return [];
  const reason = verdict.status === 'failed' ? 'failed' : 'stopped';
  return [{ msg_type: 'end_run', total_stf_files: overview.counts().stf_count, reason }];
}
