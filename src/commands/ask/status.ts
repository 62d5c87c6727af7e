import type { ExecutionFilter } from '../../db/lists/executions.ts';
import type { Page } from '../../db/lists/list-query.ts';
import { SwfError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { Monitor } from '../../tools/answers/monitor.ts';
import { getWorkflowMonitorTool } from '../../tools/get-workflow-monitor.ts';
import type { AnswerOf } from '../../tools/index.ts';
import { factsOf, verdictOf } from '../../tools/monitor/facts.ts';
import type { Io } from '../shared/io.ts';
import { createPaint, paintingStates } from '../shared/palette.ts';
import { printJson, printLines } from '../shared/print-lines.ts';
import { askAt, createStoreReader, type StoreReader } from '../shared/store-reader.ts';
import { askWith } from './ask-tool.ts';

export interface StatusArguments {
  executionId?: string;
  json: boolean;
  all: boolean;
  asOf?: string;
}

/**
 * `swf-mcp status`: the monitor's answer for a person. Without an id: all running executions or, if there are
 * none, the newest. As JSON: the newest as one object; with `all`, an array.
 */
export async function statusCommand(io: Io, { executionId: given, json, all, asOf: as_of }: StatusArguments) {
  using reader = createStoreReader(io);
  const running = given !== undefined || (json && !all) ? [] : await runningIds(reader, as_of);
  const ids = running.length === 0 ? [given ?? 'latest'] : running;
  const answers = await monitorsOf(io, reader, ids, as_of);
  if (json) printJson(io, all ? answers : answers[0]);
  else
    printLines(
      io,
      [
        ...answers.flatMap((one, at) => [...(at === 0 ? [] : ['']), ...statusLines(one)]),
        ...(await newestLines(reader, running, as_of)),
      ],
      paintingStates(createPaint(io.terminal('out')?.colorDepth)),
    );
}

type Answer = AnswerOf<'get_workflow_monitor'>;

/** The monitor's answers for several executions. An execution that cannot be read does not hide the others. */
async function monitorsOf(io: Io, reader: StoreReader, ids: readonly string[], as_of: string | undefined) {
  const answers: Answer[] = [];
  for (const execution_id of ids)
    try {
      answers.push(await askWith(io, reader, getWorkflowMonitorTool, { execution_id, as_of }));
    } catch (error) {
      if (ids.length === 1 || !(error instanceof SwfError)) throw error;
      io.err(`${printable(execution_id)} cannot be shown: ${error.line}`);
    }
  return answers;
}

/** Executions from the store itself: the tool's list would also compute fields that are not shown here. */
const executionsOf = (reader: StoreReader, asOf: string | undefined, filter: ExecutionFilter, page: Page) =>
  askAt(reader, asOf, ({ queries }) => queries.executions(filter, { ...page, uncounted: true }).rows);

/** Running executions, newest last, where a person looks first. */
async function runningIds(reader: StoreReader, asOf: string | undefined) {
  const rows = await executionsOf(reader, asOf, { status: 'running' }, { order: 'newest', limit: 20 });
  return rows.map(({ execution_id }) => execution_id).toReversed();
}

/** The newest execution, if it is not among the running ones that are shown. */
async function newestLines(reader: StoreReader, running: readonly string[], as_of: string | undefined) {
  if (running.length === 0) return [];
  const rows = await executionsOf(reader, as_of, {}, { order: 'newest', limit: 1 });
  return rows
    .filter(({ execution_id }) => !running.includes(execution_id))
    .map(
      ({ execution_id, status }) =>
        `The newest is ${execution_id}, ${status}: "swf-mcp status latest${as_of === undefined ? '' : ` --as-of ${as_of}`}" shows it`,
    );
}

/** The facts first, and the verdict last, where it stays visible on a terminal with 24 lines. */
const statusLines = (answer: Monitor) => [
  answer.execution_id,
  ...factsOf(answer).map(({ label, words }) => `  ${label.padEnd(12)}${words}`),
  `${answer.execution_id}: ${verdictOf(answer)}`,
];
