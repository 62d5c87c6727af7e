import { join } from 'node:path';

import type { Config } from '../../config/schema.ts';
import { requireOwn } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';
import { type StageDelay, stagesForPeople } from '../../domain/stages.ts';
import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import { allPrintable, printable } from '../../lib/printable.ts';
import { statusWords, stayFailed } from '../../mcp/words.ts';
import { exitCodes, type Io, storeOption } from '../shared/io.ts';
import { alignedLines, printLines } from '../shared/print-lines.ts';

/**
 * The exit code of an execution that has ended.
 * @param interrupted whether a signal to this process ended it
 */
export function exitCodeOf(
  ended: { status: string; slices_failed: number; slices_queued?: number },
  interrupted: boolean,
) {
  const { status, slices_failed, slices_queued = 0 } = ended;
  // Of a completed execution of other programs, slices without a result.
  const isIncomplete = status === 'completed' && slices_queued > 0;
  if (status === 'terminated' && interrupted) return exitCodes.interrupted;
  if (status === 'unknown') return exitCodes.mendable;
  if (status === 'failed' || slices_failed > 0 || isIncomplete) return exitCodes.workflowFailed;
  return status === 'terminated' ? exitCodes.stopped : exitCodes.fine;
}

/** Shows how an execution has ended. Returns the exit code. */
export function tellEnding(
  io: Io,
  queries: Queries,
  executionId: string,
  { json, config, isInterrupted }: { json: boolean; config: Config; isInterrupted: boolean },
) {
  const ending = readEnding(queries, executionId);
  if (json) io.out(`${JSON.stringify(allPrintable(ending.summary))}\n`);
  else printLines(io, summaryLines(ending, config, storeOption(io)));
  return exitCodeOf(ending.summary, isInterrupted);
}

type Ending = ReturnType<typeof readEnding>;

const readEnding = (queries: Queries, executionId: string) =>
  queries.snapshot(() => {
    const execution = requireOwn(queries.execution(executionId), 'be ended');
    const detail = queries.executionRecord(execution);
    return {
      reason: execution.status_reason ?? undefined,
      stfsReady: detail.stfs_ready,
      retries: detail.slice_retries,
      /** Simulated seconds. */
      simulated: detail.last_tick,
      delays: queries.stageDelays(execution),
      /** As `run --json` prints it. `duration_seconds` is wall time. */
      summary: {
        execution_id: execution.execution_id,
        run_number: execution.run_number,
        status: execution.status,
        stf_count: execution.stf_count,
        tf_files_received: execution.tf_files_received,
        slices_created: execution.slices_created,
        slices_completed: execution.slices_completed,
        slices_failed: execution.slices_failed,
        messages: queries.messageCount(execution.execution_id),
        duration_seconds: queries.duration(execution, Date.now()),
      },
    };
  });

/**
 * The summary for people. The result and the next command come last, where a terminal of twenty lines shows
 * them.
 */
function summaryLines(ending: Ending, { data }: Config, db: string): string[] {
  const { summary, stfsReady, retries, simulated } = ending;
  const { execution_id, slices_created, slices_completed, slices_failed, stf_count } = summary;
  const rest = slices_created - slices_completed - slices_failed;
  const unfinished = rest === 0 ? '' : `, ${rest} unfinished`;
  const again = retries === 0 ? '' : `; ${counted(retries, 'retry', 'retries')}`;
  const all = summary.status === 'completed' && stfsReady === stf_count;
  const ready = all ? 'all processed' : `${stfsReady} ready`;
  const branches = asTree([
    `messages    ${summary.messages}`,
    ...(data.write_files && data.dir !== undefined ? [`files       ${join(data.dir, execution_id)}`] : []),
    `duration    ${duration(summary.duration_seconds)}${simulated === null ? '' : `, simulated ${duration(simulated)}`}`,
    `STF files   ${stf_count}${stf_count === 0 ? '' : ` (${ready})`}`,
    `TF samples  ${summary.tf_files_received}`,
    `TF slices   ${slices_created}: ${slices_completed} completed, ${slices_failed} failed${unfinished}${again}`,
    `result      ${resultOf(ending)}`,
    `next        swf-mcp${db} ${slices_failed > 0 ? `slices ${execution_id} --status failed` : `status ${execution_id}`}`,
  ]);
  const head = `Run ${summary.run_number}, execution ${execution_id}: ${verdictOf(ending)}`;
  return [head, ...delayLines(ending.delays), ...branches];
}

const verdictOf = ({ summary: { status }, reason }: Ending) => statusWords(status, reason && printable(reason));

/** How it ended, and whether all is well. */
function resultOf(ending: Ending) {
  const { slices_failed: failed } = ending.summary;
  if (failed === 0) return verdictOf(ending);
  return `${verdictOf(ending)}, ${stayFailed(failed, counted(failed, 'slice'))}`;
}

const asTree = (lines: readonly string[]): string[] =>
  lines.map((line, at) => `${at === lines.length - 1 ? '└──' : '├──'} ${line}`);

/** A branch with the median, the time that 95 of 100 stay below, and the longest. */
function delayLines(delays: readonly StageDelay[]): string[] {
  if (delays.length === 0) return [];
  // The lines stand four columns further right than their head: the blanks keep the columns below each other.
  const rows = delays.map(({ stage, p50, p95, max }) => [
    `    ${stagesForPeople(stage)}`,
    ...[p50, p95, max].map(duration),
  ]);
  const [head = '', ...lines] = alignedLines([['delays', 'p50', 'p95', 'max'], ...rows]);
  return [`├── ${head}`, ...asTree(lines.map((line) => line.slice(4))).map((line) => `│   ${line}`)];
}
