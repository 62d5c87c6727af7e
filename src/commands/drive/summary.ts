import type { Queries } from '../../db/queries.ts';
import { allPrintable } from '../../lib/printable.ts';
import { exitCodes, type Io, storeOption } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';
import { readEnding } from './ending.ts';
import { summaryLines } from './summary-lines.ts';

/** The exit code of an execution that has ended. @param interrupted whether a signal to this process ended it */
export function exitCodeOf(
  { status, slices_failed }: { status: string; slices_failed: number },
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
