import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import type { FullAssessment, InHand } from '../../db/reports/assessment.ts';
import { present } from '../../lib/present.ts';
import { timeOf } from '../../monitoring/findings/rule.ts';
import type { HeardFacts } from '../../monitoring/heard-facts.ts';
import { clip } from '../shared/clip.ts';
import { failedFiles } from '../shared/sites.ts';
import { shownText } from './parts.ts';

/** Maximum number of gaps to list one by one. */
const shownGaps = 5;

/** The counts of an execution: its driver's counts, or those that messages from other programs show. */
export function countsOf(execution: ExecutionRow, { detail, driving, heard, why_uncounted }: FullAssessment) {
  const { stf_count, tf_files_received, slices_created, slices_completed, slices_failed } = execution;
  const ended = { slices_completed, slices_failed, slices_retried: detail.slices_retried };
  if (heard?.prompt !== undefined) return { stf_count, stf_failed: failedFiles(execution), ...heardTimes(heard) };
  if (heard !== undefined) {
    const slices = why_uncounted === undefined ? heardSlices(heard, ended) : unseenSlices(heard);
    return { stf_count, tf_files_received, ...heardTimes(heard), ...slices };
  }
  return {
    stf_count,
    tf_files_received,
    slices_created,
    ...(driving && drivenSlices(execution, driving.in_hand, ended)),
  };
}

type Ended = Record<'slices_completed' | 'slices_failed' | 'slices_retried', number>;

/**
 * The counts of slices. Late and lost slices are reported only during the run, and slices without a result only
 * after its end.
 */
function drivenSlices(
  { status, slices_created, slices_queued }: ExecutionRow,
  { count, overdue, lost }: InHand,
  { slices_retried, ...ended }: Ended,
) {
  const isRunning = status === 'running';
  return {
    slices_queued,
    slices_processing: count + lost,
    ...ended,
    slices_overdue: isRunning ? (overdue ?? null) : null,
    slices_to_redo: isRunning ? lost : null,
    slices_retried,
    slices_not_done: isRunning ? null : slices_created - ended.slices_completed - ended.slices_failed,
  };
}

/** The status reported over REST, the dialect of the execution's messages, and when messages were received. */
function heardTimes({ told, dialects, heard_since, now, gaps }: HeardFacts) {
  return {
    told: told === undefined ? null : present({ status: told.status, at: timeOf(told.at), by: told.by }),
    dialect: dialects === '' ? null : dialects.split('').join('+'),
    heard_since: timeOf(heard_since),
    heard_until: timeOf(now),
    not_heard:
      gaps.length === 0
        ? null
        : gaps.slice(0, shownGaps).map(({ from, until, reason, isFilled }) => ({
            from: timeOf(from),
            until: timeOf(until),
            reason: clip(isFilled === true ? `${reason}; the data was read from swf-monitor later` : reason, shownText),
          })),
  };
}

/** Evidence of slices when none are seen on the bus: results, and slices registered over REST. */
const unseenSlices = ({ results_repeated, results_unmatched, slices_told }: HeardFacts) => ({
  slices_created: slices_told || null,
  results_repeated: results_repeated || null,
  results_without_slice: results_unmatched || null,
});

/** The counts that messages from other programs show. No message says whether a slice is waiting or in hand. */
function heardSlices(facts: HeardFacts, ended: Ended) {
  const { counts, slices_unheard } = facts;
  // If results arrive but no slices were seen on the bus, the slices take another route.
  const isElsewhere = counts.slices_created === slices_unheard && facts.results_unmatched + slices_unheard > 0;
  return {
    // Slices received from the bus, and slices registered over REST but not sent on the bus.
    slices_created: isElsewhere ? facts.slices_told || null : counts.slices_created + facts.slices_unsent,
    ...ended,
    slices_sent: isElsewhere ? null : counts.slices_created - slices_unheard,
    tf_files_sliced: facts.tf_files_sliced,
    slices_unanswered: isElsewhere ? null : counts.slices_queued,
    results_repeated: facts.results_repeated,
    results_unmatched: isElsewhere ? null : facts.results_unmatched,
    results_without_slice: isElsewhere ? facts.results_unmatched + slices_unheard : null,
    without_execution: facts.without_execution,
  };
}
