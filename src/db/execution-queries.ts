import type { Health } from '../domain/states.ts';
import { isPrompt } from '../domain/workflows.ts';
import { healthAfterEnd } from '../monitoring/health.ts';
import { type ExecutionRow, requireExecution, requireObserved, requireOwn } from './execution/find-execution.ts';
import { executionParams, knownParams } from './execution/params.ts';
import { lastTick } from './execution/start-message.ts';
import { listLogs } from './lists/logs.ts';
import { countAllMessages } from './lists/message-counts.ts';
import type { WordSearch } from './lists/word-search.ts';
import { asItStands } from './observed/settle.ts';
import { type LivenessTest, driverOf, momentOfTest } from './presence/leases.ts';
import { assess, assessWithFindings } from './reports/assessment.ts';
import { audit } from './reports/audit.ts';
import { executionRecord } from './reports/execution-detail.ts';
import {
  isAnyRecordedLate,
  lastLandmarks,
  lastMessage,
  lastTroubledMessages,
  pausedBy,
  stoppedBy,
} from './reports/landmarks.ts';
import { endOfLife, recordedFrom, secondsOfLife, secondsSilent, silentSince } from './reports/life.ts';
import { busContract } from './reports/observed/contract.ts';
import { whySlicesUncounted, whyUnseen } from './reports/observed/facts.ts';
import { promptSites } from './reports/observed/prompt.ts';
import { configurationOf, settingsOf } from './reports/settings.ts';
import { exhaustedSlices } from './reports/slices-in-hand.ts';
import { countedDelays } from './reports/stage-delays.ts';
import { type Product, findProduct, messagesOf, sliceStanding, slicesOf } from './reports/trace.ts';
import { kept, keptAtRest } from './sqlite/kept-answers.ts';
import { type Prepare, questionsTo } from './sqlite/statements.ts';

export function createExecutionQueries(sql: Prepare, findWords: WordSearch, isAlive: LivenessTest) {
  return {
    execution: (id: string): ExecutionRow =>
      asItStands(sql, requireExecution(sql, id), { isAlive, now: momentOfTest(isAlive) }),
    /** The parameters of one of swf-mcp's own executions. Throws `ARGUMENT_INVALID` for an observed execution. */
    executionParams: (execution: ExecutionRow) =>
      executionParams(sql, requireOwn(execution, 'be planned, or have its files checked,')),
    audit: (execution: ExecutionRow) => audit(sql, execution, { isAlive, now: momentOfTest(isAlive) }),
    /** Assesses an execution. `now` is in milliseconds since 1970. */
    assess: (execution: ExecutionRow, now: number) => assess(sql, execution, { isAlive, now }),
    assessWithFindings: (execution: ExecutionRow, now: number, data_as_of: string | undefined) =>
      assessWithFindings(sql, execution, { isAlive, now, data_as_of }),
    /** The messages that an observed run's programs sent. Throws `ARGUMENT_INVALID` for an execution of swf-mcp. */
    busContract: (id: string) => busContract(sql, requireObserved(requireExecution(sql, id))),
    /** The id that an observed execution has in the programs that ran it. */
    toldId: (executionId: string) =>
      sql<string>('SELECT told_id FROM observed_runs WHERE execution_id = ?').value(executionId),
    driver: (executionId: string) => driverOf(sql, executionId, isAlive),
    stoppedBy: keptAtRest(sql, stoppedBy),
    /** For an observed execution, the settings that its runner reported over REST; undefined if there are none. */
    configuration: keptAtRest(sql, configurationOf),
    /**
     * The health of an execution; undefined if its status is unknown. An ended execution needs no assessment,
     * except in prompt processing.
     */
    health: (execution: ExecutionRow, now: number): Health | undefined =>
      execution.status === 'running' || isPrompt(execution)
        ? assess(sql, execution, { isAlive, now }).health
        : healthAfterEnd(execution.status),
    ...questionsTo(sql, {
      executionRecord,
      knownParams,
      pausedBy,
      settings: settingsOf,
      isAnyRecordedLate,
      lastTick,
      product: findProduct,
      messagesOf,
      slicesOf,
      promptSites,
      whySlicesUncounted,
      exhaustedSlices,
    }),
    ...createLifeQueries(sql, isAlive),
    whyUnseen: kept(sql, whyUnseen),
    messageCount: keptAtRest(sql, countAllMessages),
    lastLandmarks: keptAtRest(sql, lastLandmarks),
    /** The last log lines of an execution at a given level or above. */
    lastLogLines: keptAtRest(sql, (_, execution_id: string, level: number, limit: number) => {
      const page = { order: 'newest', limit, uncounted: true } as const;
      return listLogs(sql, { execution_id, level }, page, findWords).rows;
    }),
    lastMessage: keptAtRest(sql, lastMessage),
    lastTroubledMessages: keptAtRest(sql, lastTroubledMessages),
    stageDelays: (execution: ExecutionRow) => countedDelays(sql, execution.execution_id),
    ...createFileQueries(sql, findWords, isAlive),
  };
}

const createLifeQueries = (sql: Prepare, isAlive: LivenessTest) => ({
  /**
   * When an execution ended, or else the current time, in milliseconds since 1970; undefined if unknown. See
   * `endOfLife`.
   */
  endOfLife: (execution: ExecutionRow, now: number) => endOfLife(sql, execution, { isAlive, now }),
  recordedFrom: (executionId: string) => recordedFrom(sql, executionId),
  /** The wall time of an execution in seconds, up to now if it is running; undefined while unknown. */
  duration: (execution: ExecutionRow, now: number) => secondsOfLife(sql, execution, { isAlive, now }),
  /** Whether the execution has not ended, but its driver is gone. */
  isSilent: (execution: ExecutionRow) => silentSince(sql, execution, isAlive) !== undefined,
  /**
   * The wall time in seconds since the execution's driver was last heard from; undefined while there is a
   * driver, after the end, and while the clock of this host is behind.
   */
  silence: (execution: ExecutionRow, now: number) => secondsSilent(sql, execution, { isAlive, now }),
});

const createFileQueries = (sql: Prepare, findWords: WordSearch, isAlive: LivenessTest) => ({
  sliceStanding: (product: Product, now: number) => sliceStanding(sql, product, { isAlive, now }),
  /** An execution's first log lines that name one of its files. */
  logLinesOf: ({ execution_id, name }: Product, limit: number) =>
    listLogs(sql, { execution_id, search: name }, { order: 'oldest', limit, uncounted: true }, findWords).rows,
});
