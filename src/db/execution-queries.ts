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
import { whySlicesUncounted } from './reports/observed/facts.ts';
import { promptSites } from './reports/observed/prompt.ts';
import { configurationOf, settingsOf } from './reports/settings.ts';
import { exhaustedSlices } from './reports/slices-in-hand.ts';
import { countedDelays } from './reports/stage-delays.ts';
import { type Product, findProduct, messagesOf, sliceStanding, slicesOf } from './reports/trace.ts';
import { keptAtRest } from './sqlite/kept-answers.ts';
import { type Prepare, questionsTo } from './sqlite/statements.ts';

export function createExecutionQueries(sql: Prepare, findWords: WordSearch, isAlive: LivenessTest) {
  return {
    execution: (id: string): ExecutionRow =>
      asItStands(sql, requireExecution(sql, id), { isAlive, now: momentOfTest(isAlive) }),
    /** The plan of one of our own executions. Throws `ARGUMENT_INVALID` for an observed execution. */
    executionParams: (execution: ExecutionRow) =>
      executionParams(sql, requireOwn(execution, 'be planned, or have its files checked,')),
    audit: (execution: ExecutionRow) => audit(sql, execution, { isAlive, now: momentOfTest(isAlive) }),
    /** Assesses an execution. `now` is in milliseconds since 1970. */
    assess: (execution: ExecutionRow, now: number) => assess(sql, execution, { isAlive, now }),
    assessWithFindings: (execution: ExecutionRow, now: number, data_as_of: string | undefined) =>
      assessWithFindings(sql, execution, { isAlive, now, data_as_of }),
    /** The contract of the bus in an observed run. Throws `ARGUMENT_INVALID` for one of our own. */
    busContract: (id: string) => busContract(sql, requireObserved(requireExecution(sql, id))),
    /** The id by which its own programs know an observed execution. */
    toldId: (executionId: string) =>
      sql<string>('SELECT told_id FROM observed_runs WHERE execution_id = ?').value(executionId),
    driver: (executionId: string) => driverOf(sql, executionId, isAlive),
    stoppedBy: keptAtRest(sql, stoppedBy),
    /** For an observed execution, the settings that its runner reported over REST; undefined if none. */
    configuration: keptAtRest(sql, configurationOf),
    /**
     * The health of an execution, undefined if its status is unknown; an ended execution needs no assessment.
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
    messageCount: keptAtRest(sql, countAllMessages),
    lastLandmarks: keptAtRest(sql, lastLandmarks),
    /** The last log lines of an execution at a level or above. */
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
  /** When an execution ended, or now, in milliseconds since 1970, if it is known: see `endOfLife`. */
  endOfLife: (execution: ExecutionRow, now: number) => endOfLife(sql, execution, { isAlive, now }),
  recordedFrom: (executionId: string) => recordedFrom(sql, executionId),
  /** Wall time of an execution in seconds; so far, while it runs; undefined while it is unknown. */
  duration: (execution: ExecutionRow, now: number) => secondsOfLife(sql, execution, { isAlive, now }),
  /** Whether its driver is gone, and it has not ended. */
  isSilent: (execution: ExecutionRow) => silentSince(sql, execution, isAlive) !== undefined,
  /**
   * Wall time in seconds since its driver was last heard from; undefined while a driver is there, after the end,
   * and while the clock here is behind.
   */
  silence: (execution: ExecutionRow, now: number) => secondsSilent(sql, execution, { isAlive, now }),
});

const createFileQueries = (sql: Prepare, findWords: WordSearch, isAlive: LivenessTest) => ({
  sliceStanding: (product: Product, now: number) => sliceStanding(sql, product, { isAlive, now }),
  /** The first log lines that name a file, within its execution. */
  logLinesOf: ({ execution_id, name }: Product, limit: number) =>
    listLogs(sql, { execution_id, search: name }, { order: 'oldest', limit, uncounted: true }, findWords).rows,
});
