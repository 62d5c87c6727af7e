import type { Call } from './call.ts';
import { episodes } from './episodes.ts';
import { heartbeat } from './heartbeat.ts';
import { logs } from './logs.ts';
import { ensureNamespace } from './namespaces.ts';
import { nextAgentId, nextExecution, nextRun } from './next-numbers.ts';
import { workflowMessages } from './workflow-messages.ts';

/** Everything that programs request, besides resources. */
export const calls: readonly Call[] = [
  nextAgentId,
  nextRun,
  nextExecution,
  ensureNamespace,
  heartbeat,
  logs,
  workflowMessages,
  ...episodes,
];
