import { addNoteTool } from './add-note.ts';
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
import { queryStoreTool } from './query-store.ts';
import { setQualityTool } from './set-quality.ts';
import type { Tool } from './shared/tool.ts';
import { shiftReportTool } from './shift-report.ts';
import { startWorkflowTool } from './start-workflow.ts';
import { summarizeTool } from './summarize.ts';
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

/** The tools that write into the logbook: offered unless the operator refuses it. */
export const noteTools: readonly Tool[] = [addNoteTool, setQualityTool];

/** The tools that change something: offered only where the operator allows it. */
export const controlTools: readonly Tool[] = [startWorkflowTool, controlWorkflowTool];

/** Every tool: a terminal may call each. */
export const everyTool: readonly Tool[] = [...tools, ...noteTools, ...controlTools];
