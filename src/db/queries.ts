import { SwfError } from '../lib/errors.ts';
import {
  executionDetail,
  type ExecutionFilter,
  type ExecutionRow,
  listExecutions,
  namespacesOf,
  recentExecutionIds,
  recentRunNumbers,
  requireExecution,
  runExists,
} from './lists/executions.ts';
import { type LogFilter, listLogs } from './lists/logs.ts';
import { countMessages, sumOf } from './lists/message-counts.ts';
import {
  executionIsMentioned,
  isHeld,
  lastMessage,
  lastLandmarks,
  lastTroubledMessages,
  listMessages,
  type MessageFilter,
  runIsMentioned,
} from './lists/messages.ts';
import type { Page } from './lists/page.ts';
import { listStfFiles, type StfFileFilter } from './lists/stf-files.ts';
import { listTfFiles, type TfFileFilter } from './lists/tf-files.ts';
import { listTfSlices, type TfSliceFilter } from './lists/tf-slices.ts';
import { createWordSearch } from './lists/word-search.ts';
import { type AgentFilter, agentStatus, listAgents } from './presence/agent-registry.ts';
import { isProcessAlive, type LivenessTest, ownerOf } from './presence/leases.ts';
import { assess, assessWithFindings } from './reports/assessment.ts';
import { auditExecution } from './reports/audit.ts';
import { stageDelays } from './reports/stage-delays.ts';
import { findProduct, messagesOf, type Product, slicesOf } from './reports/trace.ts';
import type { Connection } from './sqlite/open-store.ts';
import { preparer } from './sqlite/statements.ts';

/** Where the newest thing of each kind stands. */
const newestOf = [
  'SELECT max(last_heartbeat) AS at FROM system_agents',
  'SELECT recorded_at AS at FROM workflow_messages WHERE seq = (SELECT max(seq) FROM workflow_messages)',
  'SELECT timestamp AS at FROM app_logs WHERE log_id = (SELECT max(log_id) FROM app_logs)',
];

/** Damage in one table must not hide what others hold. */
function readable<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof SwfError && error.code === 'STORE_CORRUPT') return undefined;
    throw error;
  }
}

/** Everything that can be asked of a store: the whole of what tools see of the database. */
export function createQueries(db: Connection, isAlive: LivenessTest) {
  const sql = preparer(db);
  const findWords = createWordSearch(sql);
  return {
    /** Runs several questions on one state of the store, so that their answers agree. */
    snapshot<T>(ask: () => T): T {
      if (db.inTransaction) return ask();
      sql('BEGIN').run();
      try {
        return ask();
      } finally {
        // Nothing was written; a store that is damaged refuses to commit even that.
        if (db.inTransaction) sql('ROLLBACK').run();
      }
    },
    /** When the newest thing in the store was written: how fresh any answer can be. Undefined for an empty store. */
    dataAsOf: (): string | undefined =>
      newestOf
        .flatMap((text) => readable(() => sql<[], { at: string | null }>(text).get()?.at) ?? [])
        .toSorted()
        .at(-1),
    execution: (id: string) => requireExecution(sql, id),
    executionDetail: (row: ExecutionRow) => executionDetail(sql, row),
    audit: (execution: ExecutionRow) => auditExecution(sql, execution),
    /** How an execution does. `now` is in milliseconds since 1970. */
    assess: (execution: ExecutionRow, now: number) => assess(sql, execution, isAlive, now),
    /** The same with everything that is worth saying of it. */
    assessWithFindings: (execution: ExecutionRow, now: number, data_as_of: string | undefined) =>
      assessWithFindings(sql, execution, { isAlive, now, data_as_of }),
    /** The process that drives an execution, or drove it last. */
    driver(executionId: string): { pid: number; hostname: string; last_beat: string; isAlive: boolean } | undefined {
      const owner = ownerOf(sql, executionId);
      if (owner === undefined) return undefined;
      return {
        pid: owner.pid,
        hostname: owner.hostname,
        last_beat: owner.last_beat,
        isAlive: isProcessAlive(owner, isAlive),
      };
    },
    isHeld: (executionId: string) => isHeld(sql, executionId),
    messageCount: (executionId: string) => sumOf(countMessages(sql, executionId)),
    messageCounts: (executionId: string) => countMessages(sql, executionId),
    lastMessage: (executionId: string) => lastMessage(sql, executionId),
    stageDelays: (execution: ExecutionRow) => stageDelays(sql, execution.run_number),
    executionIsMentioned: (id: string) => executionIsMentioned(sql, id),
    runExists: (run: number) => runExists(sql, run) || runIsMentioned(sql, String(run)),
    recentRunNumbers: () => recentRunNumbers(sql),
    recentExecutionIds: () => recentExecutionIds(sql),
    namespaces: () => namespacesOf(sql),
    executions: (filter: ExecutionFilter, page: Page) => listExecutions(sql, filter, page),
    messages: (filter: MessageFilter, page: Page) => listMessages(sql, filter, page, findWords),
    lastLandmarks: (executionId: string, limit: number) => lastLandmarks(sql, executionId, limit),
    lastTroubledMessages: (executionId: string, limit: number) => lastTroubledMessages(sql, executionId, limit),
    stfFiles: (filter: StfFileFilter, page: Page) => listStfFiles(sql, filter, page),
    tfFiles: (filter: TfFileFilter, page: Page) => listTfFiles(sql, filter, page),
    product: (name: string) => findProduct(sql, name),
    messagesOf: (product: Product, limit: number) => messagesOf(sql, product, limit),
    /** The first log lines of its execution that name a file. */
    logLinesOf: ({ execution_id, name }: Product, limit: number) =>
      listLogs(sql, { execution_id, search: name }, { order: 'oldest', limit, uncounted: true }, findWords).rows,
    slicesOf: (product: Product) => slicesOf(sql, product),
    tfSlices: (filter: TfSliceFilter, page: Page) => listTfSlices(sql, filter, page),
    logs: (filter: LogFilter, page: Page) => listLogs(sql, filter, page, findWords),
    agents(filter: AgentFilter, page: Page) {
      const { rows, ...rest } = listAgents(sql, filter, page);
      return { ...rest, rows: rows.map((row) => ({ ...row, status: agentStatus(row, isAlive) })) };
    },
  };
}

export type Queries = ReturnType<typeof createQueries>;
