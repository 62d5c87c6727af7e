import { SwfError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { Monitor } from '../../tools/answers/monitor.ts';
import { getWorkflowMonitorTool } from '../../tools/get-workflow-monitor.ts';
import { listWorkflowExecutionsTool } from '../../tools/list-workflow-executions.ts';
import { factsOf, verdictOf } from '../../tools/monitor/facts.ts';
import type { Io } from '../shared/io.ts';
import { createPaint, paintingStates } from '../shared/palette.ts';
import { printJson, printLines } from '../shared/print-lines.ts';
import { askTool } from './ask-tool.ts';

export interface StatusArguments {
  executionId?: string;
  json: boolean;
  all: boolean;
  asOf?: string;
}

/**
 * `swf-mcp status`: the monitor's answer for a person. Without an id: all running executions, or else the newest. As
 * JSON: one object, of the newest; with `all`, an array.
 */
export async function statusCommand(io: Io, { executionId: given, json, all, asOf: as_of }: StatusArguments) {
  const running = given !== undefined || (json && !all) ? [] : await runningIds(io, as_of);
  const ids = running.length === 0 ? [given ?? 'latest'] : running;
  const answers = await monitorsOf(io, ids, as_of);
  if (json) printJson(io, all ? answers : answers[0]);
  else
    printLines(
      io,
      [
        ...answers.flatMap((one, at) => [...(at === 0 ? [] : ['']), ...statusLines(one)]),
        ...(await newestLines(io, running, as_of)),
      ],
      paintingStates(createPaint(io.terminal('out')?.colorDepth)),
    );
}

/** The monitors of executions. One that cannot be read does not hide the others. */
async function monitorsOf(io: Io, ids: readonly string[], as_of: string | undefined) {
  const answers = [];
  for (const execution_id of ids)
    try {
      answers.push(await askTool(io, getWorkflowMonitorTool, { execution_id, as_of }));
    } catch (error) {
      if (ids.length === 1 || !(error instanceof SwfError)) throw error;
      io.err(`${printable(execution_id)} cannot be shown: ${error.line}`);
    }
  return answers;
}

/** Running executions, newest last, where a person looks first. */
async function runningIds(io: Io, as_of: string | undefined) {
  const filter = { status: 'running', order: 'oldest', limit: 20, as_of };
  const { items } = await askTool(io, listWorkflowExecutionsTool, filter);
  return items.map(({ execution_id }) => execution_id);
}

/** The newest execution, if it is not among the running ones that are shown. */
async function newestLines(io: Io, running: readonly string[], as_of: string | undefined) {
  if (running.length === 0) return [];
  const { items } = await askTool(io, listWorkflowExecutionsTool, { order: 'newest', limit: 1, as_of });
  return items
    .filter(({ execution_id }) => !running.includes(execution_id))
    .map(
      ({ execution_id, status }) =>
        `The newest is ${execution_id}, ${status}: "swf-mcp status latest${as_of === undefined ? '' : ` --as-of ${as_of}`}" shows it`,
    );
}

/** The facts, and the verdict last, where a terminal of 24 lines shows it. */
const statusLines = (answer: Monitor) => [
  answer.execution_id,
  ...factsOf(answer).map(({ label, words }) => `  ${label.padEnd(12)}${words}`),
  `${answer.execution_id}: ${verdictOf(answer)}`,
];
