import { getWorkflowMonitor } from './get-workflow-monitor.ts';
import { listAgents } from './list-agents.ts';
import { listLogs } from './list-logs.ts';
import { listMessages } from './list-messages.ts';
import { listStfFiles } from './list-stf-files.ts';
import { listTfSlices } from './list-tf-slices.ts';
import { listWorkflowExecutions } from './list-workflow-executions.ts';
import type { Tool } from './tool.ts';

/** All tools, in the order in which clients see them. */
export const tools: readonly Tool[] = [
  getWorkflowMonitor,
  listWorkflowExecutions,
  listMessages,
  listStfFiles,
  listTfSlices,
  listLogs,
  listAgents,
];
