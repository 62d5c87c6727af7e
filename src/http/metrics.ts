import type { Queries } from '../db/queries.ts';
import type { InHand } from '../db/reports/assessment.ts';
import { isPrompt } from '../domain/workflows.ts';
import { SwfError } from '../lib/errors.ts';
import { counter, gauge, type Sample } from './prometheus-text.ts';

/** Counts tool calls, and formats the counts and the state of executions for Prometheus (text format 0.0.4). */
export function createMetrics(version: string) {
  /** Calls so far, by tool. */
  const calls = new Map<string, { ok: number; error: number; seconds: number }>();
  const began = Date.now();
  return {
    /** Counts a call that begins now; call the returned function when it ends. */
    beginCall(tool: string): (isError: boolean) => void {
      const at = performance.now();
      return (isError) => {
        const entry = calls.get(tool) ?? { ok: 0, error: 0, seconds: 0 };
        entry[isError ? 'error' : 'ok'] += 1;
        entry.seconds += (performance.now() - at) / 1000;
        calls.set(tool, entry);
      };
    },
    /** @param queries undefined if no store can be read */
    text(queries: Queries | undefined, now: number) {
      const executions = queries && readExecutions(queries, now);
      return [
        ...gauge('swf_mcp_info', 'Version of the server.', [[{ version }, 1]]),
        ...gauge('swf_mcp_uptime_seconds', 'Time since the server started.', (now - began) / 1000),
        ...gauge('swf_mcp_store_readable', '1 if the store can be read.', executions === undefined ? 0 : 1),
        ...counter(
          'swf_mcp_tool_calls_total',
          'Tool calls.',
          [...calls].flatMap(([tool, { ok, error }]) => [
            [{ tool, outcome: 'ok' }, ok],
            [{ tool, outcome: 'error' }, error],
          ]),
        ),
        ...counter(
          'swf_mcp_tool_seconds_total',
          'Total time of tool calls.',
          [...calls].map(([tool, { seconds }]) => [{ tool }, seconds]),
        ),
        ...(executions ?? []),
        '',
      ].join('\n');
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** How many running executions to report, and how many ended ones; the newest are reported. */
const most = 20;

/**
 * How long to keep reporting an ended execution, in milliseconds, so that a reader that polls every minute sees
 * how it ended.
 */
const toldAfterEnd = 3_600_000;

/** Undefined if the store cannot be read; another metric reports that. */
function readExecutions(queries: Queries, now: number) {
  try {
    const { told, dataAsOf } = queries.snapshot(() => ({ dataAsOf: queries.dataAsOf(), told: toldOf(queries, now) }));
    return [
      ...gauge(
        'swf_data_age_seconds',
        'Time since the store was last written.',
        dataAsOf === undefined ? [] : Math.max(0, (now - Date.parse(dataAsOf)) / 1000),
      ),
      ...metricsOf(told),
    ];
  } catch (error) {
    if (error instanceof SwfError) return undefined;
    throw error;
  }
}

function toldOf(queries: Queries, now: number) {
  const page = { order: 'newest', limit: most, uncounted: true } as const;
  const since = new Date(now - toldAfterEnd).toISOString();
  // Rows are ordered by start, and runs differ in length, so many rows must be read to find every execution
  // that was still alive at `since`.
  const recent = queries.executions({ start_time: since }, { ...page, limit: 1000 }).rows;
  return [
    ...queries.executions({ status: 'running' }, page).rows,
    ...recent
      .filter(({ status }) => status !== 'running')
      .toSorted((a, b) => ((a.end_time ?? '') > (b.end_time ?? '') ? -1 : 1))
      .slice(0, most),
  ].map((execution) => ({ execution, ...queries.assess(execution, now) }));
}

type Told = ReturnType<typeof toldOf>[number];

function metricsOf(told: readonly Told[]) {
  const each = (name: string, help: string, samplesOf: (one: Told) => Sample[]) =>
    gauge(name, help, told.flatMap(samplesOf));
  const id = ({ execution }: Told) => ({ execution_id: execution.execution_id, namespace: execution.namespace });
  const statesOf = (one: Told, states: Readonly<Record<string, number | undefined>>) =>
    Object.entries(states).map(([state, n = 0]): Sample => [{ ...id(one), state }, n]);
  const inHand = ({ driving }: Told, samplesOf: (of: InHand) => Sample[]) =>
    driving === undefined ? [] : samplesOf(driving.in_hand);
  return [
    ...each(
      'swf_execution_status',
      '1 for the current state of an execution; kept for an hour after its end.',
      (one) => [[{ ...id(one), status: one.execution.status }, 1]],
    ),
    ...each('swf_execution_health', 'The health of an execution, as a label; the value is always 1.', (one) =>
      one.health === undefined ? [] : [[{ ...id(one), health: one.health }, 1]],
    ),
    ...each('swf_execution_stf_files', 'STF files of an execution by state.', (one) => {
      const { stf_count: announced, stf_failed: failed, processing_unheard } = one.execution;
      const processed = processing_unheard === 1 ? {} : { ready: one.detail.stfs_ready };
      const known = {
        announced,
        ...processed,
        ...(isPrompt(one.execution) && processing_unheard === 0 ? { failed } : {}),
      };
      return statesOf(one, known);
    }),
    ...each('swf_execution_slices', 'TF slices of an execution by state.', (one) => {
      if (one.why_uncounted !== undefined) return [];
      const { slices_queued: waiting, slices_completed: completed, slices_failed: failed } = one.execution;
      const { count: processing, lost } = one.driving?.in_hand ?? {};
      // It is not known which slices of other programs are waiting and which are being processed.
      const open = one.driving === undefined ? { unanswered: waiting } : { queued: waiting, processing, lost };
      return statesOf(one, { ...open, completed, failed });
    }),
    ...each('swf_execution_slices_stay_failed', 'TF slices that failed permanently.', (one) =>
      one.why_uncounted === undefined ? [[id(one), one.detail.slices_exhausted]] : [],
    ),
    ...each('swf_execution_slices_overdue', 'Slices in progress for too long.', (one) =>
      inHand(one, ({ overdue }) => (overdue === undefined ? [] : [[id(one), overdue]])),
    ),
    ...each('swf_execution_oldest_slice_seconds', 'Age of the slice that has been in progress longest.', (one) =>
      inHand(one, ({ oldest, count, lost }) =>
        oldest === undefined && count + lost > 0 ? [] : [[id(one), oldest?.seconds ?? 0]],
      ),
    ),
    ...each('swf_execution_slice_retries', 'Retries of TF slices.', (one) =>
      one.detail.slice_retries === null ? [] : [[id(one), one.detail.slice_retries]],
    ),
  ];
}
