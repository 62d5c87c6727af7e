import { requireOwn } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';
import { allPrintable } from '../../lib/printable.ts';
import { exitCodes, type Io, storeOption } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';
import type { Ending, Summary } from './ending.ts';
import { summaryLines } from './summary-lines.ts';

const readEnding = (queries: Queries, executionId: string): Ending =>
  queries.snapshot(() => {
    const execution = requireOwn(queries.execution(executionId), 'be ended');
    const detail = queries.executionRecord(execution);
    return {
      reason: execution.status_reason ?? undefined,
      stfsReady: detail.stfs_ready,
      retries: detail.slice_retries,
      simulated: detail.last_tick,
      delays: queries.stageDelays(execution),
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

/** The exit code of an execution that has ended. @param interrupted whether a signal to this process ended it */
export function exitCodeOf(
  { status, slices_failed }: Pick<Summary, 'status' | 'slices_failed'>,
  interrupted: boolean,
): number {
  if (status === 'terminated' && interrupted) return exitCodes.interrupted;
  if (status === 'failed' || slices_failed > 0) return exitCodes.workflowFailed;
  return status === 'terminated' ? exitCodes.stopped : exitCodes.fine;
}

/** Shows how an execution has ended. Returns the exit code. */
export function tellEnding(
  io: Io,
  queries: Queries,
  executionId: string,
  { json, folder, isInterrupted }: { json: boolean; folder: string | undefined; isInterrupted: boolean },
): number {
  const ending = readEnding(queries, executionId);
  if (json) io.out(`${JSON.stringify(allPrintable(ending.summary))}\n`);
  else printLines(io, summaryLines(ending, folder, storeOption(io)));
  return exitCodeOf(ending.summary, isInterrupted);
}
