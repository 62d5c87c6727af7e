import type { Queries } from '../db/queries.ts';
import { exitCodes } from './io.ts';

/** The end of a run in figures (contract §4, `run --json`). `duration_seconds` is wall time. */
export interface Summary {
  execution_id: string;
  run_number: number;
  status: string;
  stf_count: number;
  tf_files_received: number;
  slices_created: number;
  slices_completed: number;
  slices_failed: number;
  messages: number;
  duration_seconds: number;
}

export interface Ending {
  summary: Summary;
  reason: string | undefined;
}

export function readEnding(queries: Queries, executionId: string): Ending {
  return queries.snapshot(() => {
    const execution = queries.execution(executionId);
    const end = execution.end_time === null ? Date.now() : Date.parse(execution.end_time);
    return {
      reason: execution.status_reason ?? undefined,
      summary: {
        execution_id: execution.execution_id,
        run_number: execution.run_number,
        status: execution.status,
        stf_count: execution.stf_count,
        tf_files_received: execution.tf_files_received,
        slices_created: execution.slices_created,
        slices_completed: execution.slices_completed,
        slices_failed: execution.slices_failed,
        messages: queries.executionDetail(execution).message_count,
        duration_seconds: (end - Date.parse(execution.start_time)) / 1000,
      },
    };
  });
}

/** The summary for people: what came out, and what to ask next. */
export function summaryLines({ summary, reason }: Ending, dataFolder: string | undefined, storeOption = ''): string[] {
  const why = reason === undefined || reason === summary.status ? '' : ` (${reason})`;
  const failed = summary.slices_failed > 0;
  const rest = summary.slices_created - summary.slices_completed - summary.slices_failed;
  return [
    `Run ${summary.run_number}, execution ${summary.execution_id}: ${summary.status}${why}`,
    `  duration    ${duration(summary.duration_seconds)}`,
    `  STF files   ${summary.stf_count}`,
    `  TF samples  ${summary.tf_files_received}`,
    `  TF slices   ${summary.slices_created}: ${summary.slices_completed} completed, ${summary.slices_failed} failed${rest === 0 ? '' : `, ${rest} unfinished`}`,
    `  messages    ${summary.messages}`,
    ...(dataFolder === undefined ? [] : [`  files       ${dataFolder}`]),
    failed
      ? `  next        swf-mcp${storeOption} call list_tf_slices '{"execution_id":"${summary.execution_id}","status":"failed"}'`
      : `  next        swf-mcp${storeOption} status ${summary.execution_id}`,
  ];
}

/** Seconds as people read them: `12.3 s`, from two minutes on `2 min 5 s`, from an hour on `1 h 2 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return `${hours > 0 ? `${hours} h ` : ''}${minutes} min ${whole % 60} s`;
}

/** What the exit code says of an execution that has ended. */
export function exitCodeOf({ status, slices_failed }: Summary, interrupted: boolean): number {
  if (status === 'terminated') return interrupted ? exitCodes.interrupted : exitCodes.fine;
  return status === 'failed' || slices_failed > 0 ? exitCodes.workflowFailed : exitCodes.fine;
}
