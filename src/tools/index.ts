import type { ListItem, Page } from '../domain/list-columns.ts';
import { SwfError } from '../lib/errors.ts';
import { nearest } from '../lib/suggest.ts';
import { addNoteTool } from './add-note.ts';
import type { Monitor } from './answers/monitor.ts';
import type { Audit, Comparison, Trace } from './answers/reports.ts';
import type { Shift } from './answers/shift.ts';
import type { TimelineAnswer } from './answers/timeline.ts';
import { auditExecutionTool } from './audit-execution.ts';
import { compareExecutionsTool } from './compare-executions.ts';
import { controlWorkflowTool } from './control-workflow.ts';
import { getExecutionTimelineTool } from './get-execution-timeline.ts';
import { getWorkflowMonitorTool } from './get-workflow-monitor.ts';
import { listAgentsTool } from './list-agents.ts';
import { listAlarmsTool } from './list-alarms.ts';
import { listLogsTool } from './list-logs.ts';
import { listMessagesTool } from './list-messages.ts';
import { listStfFilesTool } from './list-stf-files.ts';
import { listTfFilesTool } from './list-tf-files.ts';
import { listTfSlicesTool } from './list-tf-slices.ts';
import { listWorkflowExecutionsTool } from './list-workflow-executions.ts';
import { planRunTool } from './plan-run.ts';
import type { AsPlayed } from './plan/as-played.ts';
import { queryStoreTool } from './query-store.ts';
import { clip } from './run-tool.ts';
import { setQualityTool } from './set-quality.ts';
import type { Tool } from './shared/tool.ts';
import { shiftReportTool } from './shift-report.ts';
import { startWorkflowTool } from './start-workflow.ts';
import { summarizeTool } from './summarize.ts';
import type { Summary } from './summary.ts';
import { traceDataProductTool } from './trace-data-product.ts';
import { verifyFilesTool } from './verify-files.ts';
import { waitForExecutionTool } from './wait-for-execution.ts';

/** The tools that read, in the order in which clients see them. */
export const tools: readonly Tool[] = [
  getWorkflowMonitorTool,
  listWorkflowExecutionsTool,
  waitForExecutionTool,
  getExecutionTimelineTool,
  summarizeTool,
  auditExecutionTool,
  traceDataProductTool,
  compareExecutionsTool,
  listMessagesTool,
  listStfFilesTool,
  listTfFilesTool,
  listTfSlicesTool,
  listLogsTool,
  listAgentsTool,
  listAlarmsTool,
  shiftReportTool,
  verifyFilesTool,
  planRunTool,
  queryStoreTool,
];

/** The tools that write to the logbook: offered unless the operator forbids them. */
export const noteTools: readonly Tool[] = [addNoteTool, setQualityTool];

/** The tools that control workflows: offered only if the operator allows that. */
export const controlTools: readonly Tool[] = [startWorkflowTool, controlWorkflowTool];

/** Every tool; all of them can be called at a terminal. */
export const everyTool: readonly Tool[] = [...tools, ...noteTools, ...controlTools];

/** The tool with this name. Throws `TOOL_NOT_FOUND` with the most similar names. */
export function findTool(offered: readonly Tool[], name: string): Tool {
  const isNamed = (candidate: Tool) => candidate.name === name;
  const tool = offered.find(isNamed);
  if (tool !== undefined) return tool;
  const names = offered.map((candidate) => candidate.name);
  const why = controlTools.some(isNamed)
    ? `${name} controls executions: available only to tokens whose scope is control, on a server started with --allow-control`
    : noteTools.some(isNamed)
      ? `${name} writes to the logbook: available only to tokens whose scope is note or control, on a server started without --read-only`
      : `there is no tool ${JSON.stringify(clip(name))}; the nearest: ${nearest(name.slice(0, 100), names).join(', ')}`;
  throw new SwfError('TOOL_NOT_FOUND', why);
}

/** Answers that our own programs read field by field. */
interface Answers {
  audit_execution: Audit;
  compare_executions: Comparison;
  get_execution_timeline: TimelineAnswer;
  get_workflow_monitor: Monitor;
  list_workflow_executions: Page<ListItem<'list_workflow_executions'>>;
  shift_report: Shift;
  plan_run: { as_played?: AsPlayed; assumptions: string[] };
  summarize: Summary;
  trace_data_product: Trace;
}

/** The answer type of the tool with this name; a generic object if none of our programs reads the answer. */
export type AnswerOf<Name extends string> = Name extends keyof Answers
  ? Answers[Name] & { as_of?: string; as_of_exact?: string }
  : Record<string, unknown>;
