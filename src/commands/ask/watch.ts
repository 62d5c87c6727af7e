import type { Queries } from '../../db/queries.ts';
import type { InHand } from '../../db/reports/assessment.ts';
import { isPrompt } from '../../domain/workflows.ts';
import { counted } from '../../lib/counted.ts';
import { pause } from '../../lib/deadline.ts';
import { wholeDuration } from '../../lib/duration.ts';
import { utcNow } from '../../lib/time.ts';
import { clause, shownTime, withPlainTimes } from '../../lib/words.ts';
import { getWorkflowMonitorTool } from '../../tools/get-workflow-monitor.ts';
import { openWords, phaseWords, promptFiles, stayFailed } from '../../tools/monitor/words.ts';
import { drivenExecutions } from '../control/run-limits.ts';
import { startKeys } from '../drive/keys.ts';
import { requireProgram, startNotifier } from '../drive/notify.ts';
import { exitCodeOf } from '../drive/summary.ts';
import { startLive } from '../live/live.ts';
import { type Snapshot, takeSnapshot } from '../live/snapshot.ts';
import { exitCodes, type Io, storeOption } from '../shared/io.ts';
import { printJson } from '../shared/print-lines.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';
import { askTool } from './ask-tool.ts';
import { statusCommand } from './status.ts';

/** How often to check for anything new to report, in milliseconds. */
const lookMilliseconds = 250;

/** Minimum time between lines that are printed only because counts have changed, in milliseconds. */
const lineMilliseconds = 10_000;

export interface WatchArguments {
  executionId?: string;
  json: boolean;
  notify?: string;
}

/**
 * `swf-mcp status --watch`: shows an execution until it has ended, whichever process drives it. Returns the
 * exit code.
 */
export async function watchCommand(io: Io, { executionId: given, json, notify }: WatchArguments) {
  const program = requireProgram(io, notify);
  using reader = createStoreReader(io);
  const interrupted = new AbortController();
  io.onInterrupt(() => interrupted.abort());
  const executionId = watched(reader.queries(), given);
  const notifier = program === undefined ? undefined : startNotifier(io, program, reader.queries, executionId);
  await (json ? watchJson(io, executionId, interrupted.signal) : watch(io, executionId, reader, interrupted));
  // The live view is gone, so print the last state.
  if (!json) await statusCommand(io, { executionId, json: false, all: false });
  await (interrupted.signal.aborted ? notifier?.leave() : notifier?.ended());
  if (interrupted.signal.aborted) return exitCodes.interrupted;
  return exitCodeOf(reader.queries().execution(executionId), false);
}

/**
 * The named execution. Without a name, the newest execution that has a driver: a later execution whose driver
 * was killed shows nothing new. If none has a driver, the newest execution.
 */
function watched(queries: Queries, given: string | undefined) {
  if (given !== undefined) return queries.execution(given).execution_id;
  const [driven = queries.execution('latest')] = drivenExecutions(queries);
  return driven.execution_id;
}

async function watch(io: Io, executionId: string, reader: StoreReader, interrupted: AbortController) {
  const terminal = io.terminal('out');
  const live = terminal && startLive(terminal, reader.queries, storeOption(io));
  live?.show(executionId);
  const endKeys = live && startKeys(io, live, executionId, () => interrupted.abort());
  let said = { words: '', counts: '', at: 0 };
  try {
    for (;;) {
      const snapshot = takeSnapshot(reader.queries(), executionId);
      if (live === undefined) {
        const now = { ...lineOf(snapshot), at: performance.now() };
        const isDue = now.words !== said.words || (now.counts !== said.counts && now.at - said.at >= lineMilliseconds);
        if (isDue) {
          io.out(`${shownTime(utcNow())} ${withPlainTimes(`${now.words}: ${now.counts}`)}\n`);
          said = now;
        }
      }
      if (interrupted.signal.aborted || snapshot.execution.status !== 'running') return;
      await pause(lookMilliseconds, [interrupted.signal]);
    }
  } finally {
    endKeys?.();
    live?.end();
  }
}

function lineOf({ execution, record, health, progress, exhausted, inHand, pace, whyUncounted: why }: Snapshot) {
  const files = counted(execution.stf_count, 'STF file');
  return {
    words: [
      execution.status,
      phaseWords(execution),
      health ?? execution.status_reason ?? '',
      ...overdueWords(inHand, pace),
    ]
      .filter((word) => word !== '')
      .join(', '),
    counts: isPrompt(execution)
      ? promptFiles(files, execution, record)
      : why !== undefined
        ? `${files} announced; ${why}`
        : `${progress.stf_ready}${clause(' of ', progress.stf_planned)} STF files, ${progress.slices_final}${clause(' of ', progress.slices_planned)} TF slices done ` +
          `(${openWords(execution.slices_queued, inHand)}, ${stayFailed(exhausted)})`,
  };
}

/** Slices in hand that take too long. Only their number is shown, since ages would make every line different. */
const overdueWords = ({ overdue = 0 }: Partial<InHand> = {}, pace: Snapshot['pace']) =>
  pace === undefined || overdue === 0
    ? []
    : [`${counted(overdue, 'slice')} in progress for over ${wholeDuration(pace.slow_seconds)}`];

/** Prints the monitor's answer as a line whenever it changes. */
async function watchJson(io: Io, executionId: string, signal: AbortSignal) {
  let said = '';
  for (;;) {
    const answer = await askTool(io, getWorkflowMonitorTool, { execution_id: executionId });
    const { duration_seconds: _, as_of_exact: _exact, heard_until: _until, ...lasting } = answer;
    const text = JSON.stringify(lasting);
    if (text !== said) printJson(io, answer);
    said = text;
    if (signal.aborted || answer['status'] !== 'running') return;
    await pause(4 * lookMilliseconds, [signal]);
  }
}
