import {
  awaitedFirst,
  executionOfRun,
  messagesWithoutExecution,
  recentExecutionIds,
} from './execution/find-execution.ts';
import { type AgentFilter, listAgents } from './lists/agents.ts';
import { type ExecutionFilter, listExecutions } from './lists/executions.ts';
import { listStfFiles, listTfFiles } from './lists/files.ts';
import {
  executionIsMentioned,
  namespacesOf,
  nearestKnown,
  recentRunNumbers,
  runIsKnown,
} from './lists/known-values.ts';
import type { Page } from './lists/list-query.ts';
import { listLogs, type LogFilter } from './lists/logs.ts';
import { listMessages, type MessageFilter } from './lists/messages.ts';
import { listTfSlices } from './lists/tf-slices.ts';
import type { WordSearch } from './lists/word-search.ts';
import { lastRemoval } from './log/removals.ts';
import { listAlarms } from './logbook/alarms.ts';
import { executionsUnderWay } from './observed/prompt.ts';
import { agentState, agentStatus } from './presence/agent-registry.ts';
import type { LivenessTest } from './presence/leases.ts';
import { goneWorkers, slicesInHandByAgent } from './reports/slices-in-hand.ts';
import { kept } from './sqlite/kept-answers.ts';
import { type Prepare, questionsTo } from './sqlite/statements.ts';

/** Paged lists, and look-ups of the names that filters accept. */
export const createListQueries = (sql: Prepare, findWords: WordSearch, isAlive: LivenessTest) => ({
  executions: (filter: ExecutionFilter, page: Page) => listExecutions(sql, filter, page, isAlive),
  messages: (filter: MessageFilter, page: Page) => listMessages(sql, filter, page, findWords),
  goneWorkers: () => goneWorkers(sql, isAlive),
  logs: (filter: LogFilter, page: Page) => listLogs(sql, filter, page, findWords),
  agents(filter: AgentFilter, page: Page) {
    const { rows, ...rest } = kept(sql, listAgents)(filter, page);
    const inHand = slicesInHandByAgent(sql);
    return {
      ...rest,
      rows: rows.map((row) => ({
        ...row,
        state: agentState(row, (row.heard_on === null && inHand.get(row.agent_name)) || 0, isAlive),
        status: agentStatus(row, isAlive),
      })),
    };
  },
  ...questionsTo(sql, {
    stfFiles: listStfFiles,
    tfFiles: listTfFiles,
    tfSlices: listTfSlices,
    alarms: listAlarms,
    nearestKnown,
    executionOfRun,
    executionsUnderWay,
    lastRemoval,
    messagesWithoutExecution,
    awaitedFirst,
    executionIsMentioned,
    runIsKnown,
    recentRunNumbers,
    recentExecutionIds,
    namespaces: namespacesOf,
  }),
});
