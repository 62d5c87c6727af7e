import { join } from 'node:path';

import type { Config } from '../../config/schema.ts';
import { requireOwn } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';
import { stagesForPeople } from '../../domain/stages.ts';
import { duration } from '../../lib/duration.ts';
import { clause } from '../../lib/words.ts';
import type { Monitor } from '../../tools/answers/monitor.ts';
import { monitorOf } from '../../tools/get-workflow-monitor.ts';
import { factsOf, verdictOf } from '../../tools/monitor/facts.ts';
import { statusWords } from '../../tools/monitor/words.ts';
import { exitCodes, type Io, storeOption } from '../shared/io.ts';
import { type ShownColumn, tableLines } from '../shared/layout.ts';
import { printJson, printLines } from '../shared/print-lines.ts';

/**
 * The exit code of an execution that has ended.
 * @param interrupted whether a signal to this process ended it
 */
export function exitCodeOf(
  ended: { status: string; slices_failed: number; slices_queued?: number; stf_failed?: number },
  interrupted: boolean,
) {
  const { status, slices_failed, slices_queued = 0, stf_failed = 0 } = ended;
  // Whether other programs completed the execution but left slices without a result.
  const isIncomplete = status === 'completed' && slices_queued > 0;
  if (status === 'terminated' && interrupted) return exitCodes.interrupted;
  if (status === 'unknown') return exitCodes.mendable;
  if (status === 'failed' || slices_failed + stf_failed > 0 || isIncomplete) return exitCodes.workflowFailed;
  return status === 'terminated' ? exitCodes.stopped : exitCodes.fine;
}

/** Shows how an execution ended. Returns the exit code. */
export function tellEnding(
  io: Io,
  queries: Queries,
  executionId: string,
  { json, config, isInterrupted }: { json: boolean; config: Config; isInterrupted: boolean },
) {
  const ending = readEnding(queries, executionId);
  if (json) printJson(io, ending.summary);
  else printLines(io, summaryLines(ending, config, storeOption(io)));
  return exitCodeOf(ending.summary, isInterrupted);
}

type Ending = ReturnType<typeof readEnding>;

const readEnding = (queries: Queries, executionId: string) =>
  queries.snapshot(() => {
    const execution = requireOwn(queries.execution(executionId), 'be ended');
    const monitor = monitorOf(executionId, { queries, now: Date.now() });
    return {
      monitor,
      /** The summary as `run --json` prints it. `duration_seconds` is wall time. */
      summary: {
        execution_id: execution.execution_id,
        run_number: execution.run_number,
        status: execution.status,
        stf_count: execution.stf_count,
        tf_files_received: execution.tf_files_received,
        slices_created: execution.slices_created,
        slices_completed: execution.slices_completed,
        slices_failed: execution.slices_failed,
        messages: monitor.message_count,
        duration_seconds: monitor.duration_seconds,
      },
    };
  });

/** The facts that show what was done. */
const shownFacts = ['STF files', 'TF samples', 'TF slices'];

/**
 * The summary for people. The result and the next command come last, where they stay visible on a terminal
 * of twenty lines.
 */
function summaryLines({ monitor, summary }: Ending, { data }: Config, db: string) {
  const { execution_id, run_number, slices_failed, messages, duration_seconds } = summary;
  const { simulation_tick: simulated } = monitor.progress ?? {};
  const facts = [
    { label: 'messages', words: String(messages) },
    ...(data.write_files && data.dir !== undefined ? [{ label: 'files', words: join(data.dir, execution_id) }] : []),
    {
      label: 'duration',
      words: `${duration(duration_seconds ?? 0)}${clause(', simulated ', simulated === undefined ? undefined : duration(simulated))}`,
    },
    ...factsOf(monitor).filter(({ label }) => shownFacts.includes(label)),
    { label: 'result', words: verdictOf(monitor) },
    {
      label: 'next',
      words: `swf-mcp${db} ${slices_failed > 0 ? `slices ${execution_id} --status failed` : `status ${execution_id}`}`,
    },
  ];
  return [
    `Run ${run_number}, execution ${execution_id}: ${statusWords(monitor.status, monitor.status_reason)}`,
    ...delayLines(monitor.latency),
    ...asTree(facts.map(({ label, words }) => `${label.padEnd(12)}${words}`)),
  ];
}

const asTree = (lines: readonly string[]) =>
  lines.map((line, at) => `${at === lines.length - 1 ? '└──' : '├──'} ${line}`);

const delayColumns: readonly ShownColumn<Monitor['latency'][number]>[] = [
  // The lines end up four columns to the right of their heading. The blanks below keep the columns aligned, and
  // `delayLines` removes them.
  { head: 'delays', of: ({ stage }) => `    ${stagesForPeople(stage)}` },
  { head: 'p50', align: 'right', of: ({ p50 }) => duration(p50) },
  { head: 'p95', align: 'right', of: ({ p95 }) => duration(p95) },
  { head: 'max', align: 'right', of: ({ max }) => duration(max) },
];

/** The tree branch with the delays of each stage: the median, the 95th percentile, and the longest. */
function delayLines(delays: Monitor['latency']) {
  if (delays.length === 0) return [];
  const [head = '', ...lines] = tableLines(delayColumns, delays);
  return [`├── ${head}`, ...asTree(lines.map((line) => line.slice(4))).map((line) => `│   ${line}`)];
}
