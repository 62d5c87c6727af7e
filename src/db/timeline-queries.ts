import type { SummaryQuestion } from '../domain/summary-words.ts';
import { percentDone } from '../lib/rounded.ts';
import type { Steps } from '../lib/steps.ts';
import type { Attempts } from '../monitoring/timeline/attempts.ts';
import { pack, type Packed } from '../monitoring/timeline/pack.ts';
import type { ExecutionRow } from './execution/find-execution.ts';
import type { LivenessTest } from './presence/leases.ts';
import type { Prepare } from './sqlite/statements.ts';
import { summarize } from './summaries/summary.ts';
import { rememberHistories } from './timeline/attempt-history.ts';
import { timelineQuestion, type WantedTimeline } from './timeline/question.ts';
import { type Timeline, timelineOf, type TimelineQuestion } from './timeline/timeline.ts';

/**
 * Questions about all attempts of an execution, which are kept in memory. Take each step of an answer in a snapshot.
 * @param plain reads attempts, each once, so their rows are not kept
 */
export function createTimelineQueries(sql: Prepare, plain: Prepare, isAlive: LivenessTest) {
  const historyOf = rememberHistories(plain);
  return {
    /** The question for a picture of an execution's life, or of part of it (ISO 8601). `now` is in milliseconds since 1970. */
    timelineQuestion: (execution: ExecutionRow, now: number, wanted: WantedTimeline): TimelineQuestion =>
      timelineQuestion(sql, execution, { wanted, isAlive, now }),
    *timeline(question: TimelineQuestion): Steps<Timeline> {
      return yield* timelineOf(sql, historyOf(question.execution.execution_id), question);
    },
    /** Every attempt of an execution as bytes. */
    *packedAttempts(executionId: string): Steps<Packed> {
      return pack(yield* historyOf(executionId).follow());
    },
    /** The same as columns of numbers, valid until the next question. */
    *attempts(executionId: string): Steps<Attempts> {
      return yield* historyOf(executionId).follow();
    },
    /** The share of an execution's slices already read for its timeline, from 0 to 1. */
    timelinePart: ({ execution_id, slices_created }: ExecutionRow): number =>
      Math.min(1, percentDone(historyOf(execution_id).columns.length, slices_created) / 100),
    /** Groups of rows with their sums. */
    summarize: (question: SummaryQuestion) => summarize(sql, historyOf, question),
  };
}
