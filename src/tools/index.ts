import { auditExecution } from './audit-execution.ts';
import { compareExecutions } from './compare-executions.ts';
import { controlWorkflow } from './control-workflow.ts';
import { getWorkflowMonitor } from './get-workflow-monitor.ts';
import { listAgents } from './list-agents.ts';
import { listLogs } from './list-logs.ts';
import { listMessages } from './list-messages.ts';
import { listStfFiles } from './list-stf-files.ts';
import { listTfFiles } from './list-tf-files.ts';
import { listTfSlices } from './list-tf-slices.ts';
import { listWorkflowExecutions } from './list-workflow-executions.ts';
import type { Tool } from './shared/tool.ts';
import { startWorkflow } from './start-workflow.ts';
import { traceDataProduct } from './trace-data-product.ts';
import { waitForExecution } from './wait-for-execution.ts';

/** The tools that read, in the order in which clients see them. */
export const tools: readonly Tool[] = [
  getWorkflowMonitor,
  listWorkflowExecutions,
  waitForExecution,
  auditExecution,
  traceDataProduct,
  compareExecutions,
  listMessages,
  listStfFiles,
  listTfFiles,
  listTfSlices,
  listLogs,
  listAgents,
];

/** The tools that change something: offered only where the operator allows it. */
export const controlTools: readonly Tool[] = [startWorkflow, controlWorkflow];
