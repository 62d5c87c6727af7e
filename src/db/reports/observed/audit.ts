import { processingUnheard } from '../../../domain/workflows.ts';
import { roundDuration } from '../../../lib/duration.ts';
import type { AuditCheck } from '../../../monitoring/gate.ts';
import { gapSeconds, type HeardFacts, unseenWords } from '../../../monitoring/heard-facts.ts';
import type { PromptFacts } from '../../../monitoring/prompt-facts.ts';
import { isNotHandedOver } from '../../../monitoring/prompt-state.ts';
import { areAll } from '../../../observed/dialects.ts';
import { type ExecutionRow, countsOf } from '../../execution/find-execution.ts';
import { openFiles } from '../../observed/prompt.ts';
import type { Moment } from '../../presence/leases.ts';
import type { Prepare } from '../../sqlite/statements.ts';
import { type Checks, type Compared, checked, comparedCounts, namedIds } from '../audit-slices.ts';
import { heardFacts } from './facts.ts';
import { count, slicedSamples, slices, someOf, stfFiles, unanswered, unready, unslicedSamples } from './samples.ts';

/**
 * Checks what was received about an execution. There is no plan, so only announced items can be missing. A
 * gap in the observation leaves the verdict open.
 */
export function heardChecks(sql: Prepare, execution: ExecutionRow, moment: Moment): Checks {
  const facts = heardFacts(sql, execution, moment);
  const { prompt } = facts;
  const stfs = count(sql, stfFiles, { id: execution.execution_id });
  const announced = checkAnnounced(sql, execution, stfs);
  const work = prompt === undefined ? sliceChecks(sql, execution, facts, stfs) : promptChecks(sql, facts, prompt, stfs);
  const remarks = [
    prompt && handOverRemark(prompt, announced),
    gapRemark(facts),
    prompt === undefined ? samplesRemark(sql, facts) : undefined,
  ];
  return {
    checks: [announced, ...work, checkCounts(sql, execution)],
    mayBeWhole: facts.gaps.length === 0 && execution.status !== 'running' && execution.status !== 'unknown',
    remark: remarks.filter((one) => one !== undefined).join(' ') || undefined,
  };
}

function sliceChecks(sql: Prepare, execution: ExecutionRow, facts: HeardFacts, stfs: number): AuditCheck[] {
  const id = execution.execution_id;
  const adjacent = missing(sql, id, 'tf_filename', sliced, unsliced);
  return [
    checkReady(sql, id, facts),
    checked('slices', adjacent, 'open', 'TF files are sliced only partly, or with gaps'),
    checkSamples(sql, execution, facts, stfs),
    checkResults(sql, id, facts),
  ];
}

/** A check that counts its missing items but cannot name them. */
const unnamed = (
  check: AuditCheck['check'],
  state: AuditCheck['state'],
  [found, expected]: readonly [number, number],
  problem: string,
) => ({ check, state, expected, found, ids: [], id_count: 0, problem });

/**
 * Everything that the bus shows about prompt processing, as a remark; undefined if more was reported over
 * REST.
 */
function handOverRemark({ sites, isTold }: PromptFacts, { found, expected }: AuditCheck) {
  if (isTold) return undefined;
  const places = sites.flatMap(({ site, handed_over_at: at }) =>
    at === undefined ? [] : `${site === undefined ? '' : `to ${site} `}at ${new Date(at).toISOString()}`,
  );
  const over = places.length === 0 ? 'not handed over to PanDA' : `handed over to PanDA: ${places.join(', ')}`;
  return `${found} of ${expected} STF files were announced; the run was ${over}.`;
}

/**
 * The checks for prompt processing. How files are processed is reported only over REST. Failed files are named,
 * but their check is `ok`, since a failure is a final result too.
 */
function promptChecks(sql: Prepare, facts: HeardFacts, prompt: PromptFacts, stfs: number): AuditCheck[] {
  const found = prompt.sites.filter(({ handed_over_at: at }) => at !== undefined).length;
  const over = { expected: found + Number(isNotHandedOver(facts)), found, ids: [] };
  const handedOver = checked('handed_over', over, 'open', 'run was not handed over to PanDA');
  if (!prompt.isTold) return [handedOver, unnamed('processing', 'unknown', [0, stfs], processingUnheard)];
  const files = (check: AuditCheck['check'], lacking: string, problem: string) =>
    checked(check, missing(sql, facts.execution_id, 'stf_filename', stfFiles, lacking), 'open', problem);
  const isClosed = prompt.data_run === 'closed';
  const closed = { expected: 1, found: Number(isClosed), ids: isClosed ? [] : [facts.run_id] };
  const { ids, count: failed } = prompt.failed;
  return [
    handedOver,
    files('stf_registered', `${stfFiles} AND status = 'announced'`, 'STF files were announced but not registered'),
    files('stf_processed', openFiles('$id'), 'STF files are neither processed nor failed'),
    { check: 'stf_failed', state: 'ok', expected: failed, found: failed, ids: [...ids], id_count: failed },
    checked('run_closed', closed, 'open', 'data run is not closed by its data agent'),
  ];
}

/** Whether STF files are ready; what that means depends on the workflow. */
function checkReady(sql: Prepare, executionId: string, { isWorkflowKnown }: HeardFacts): AuditCheck {
  const files = missing(sql, executionId, 'stf_filename', stfFiles, unready);
  const ready = checked('stf_ready', files, 'open', 'STF files were announced but are not ready');
  if (isWorkflowKnown || ready.state === 'ok') return ready;
  return unnamed(
    'stf_ready',
    'unknown',
    [ready.found, ready.expected],
    'nothing shows which workflow the run belongs to',
  );
}

function checkResults(sql: Prepare, executionId: string, { hearsResults }: HeardFacts): AuditCheck {
  const answered = missing(sql, executionId, 'slice_filename', slices, unanswered);
  const results = checked('results', answered, 'open', 'slices have no result');
  if (hearsResults || results.state === 'ok') return results;
  return unnamed('results', 'unknown', [results.found, results.expected], 'results are not on a subscribed topic');
}

/** Compares announced TF files with sliced ones, if slices can be seen. */
function checkSamples(sql: Prepare, execution: ExecutionRow, facts: HeardFacts, stfs: number): AuditCheck {
  const { slicing, tf_files_sliced: found, counts } = facts;
  if (slicing !== 'seen' && (counts.tf_files_received > 0 || (slicing !== 'none' && stfs > 0)))
    return unnamed('samples', 'unknown', [0, counts.tf_files_received], unseenWords[slicing]);
  // Fast processing takes part, but no file has reached it.
  if (slicing === 'seen' && counts.tf_files_received + found === 0 && stfs > 0)
    return unnamed(
      'samples',
      'open',
      [found, 0],
      'no TF file was announced or sliced, although fast processing takes part',
    );
  // Every file counts as open until it is sliced, even the last ones.
  const open = unslicedSamples(sql, execution, facts, '9999');
  const samples = { expected: open.count + found, found, ids: [...open.ids], id_count: open.count };
  return checked('samples', samples, 'open', 'TF files were announced but not sliced');
}

function gapRemark({ gaps }: HeardFacts) {
  const [first] = gaps;
  if (first === undefined) return undefined;
  const which = gaps.length === 1 ? '' : ` in ${gaps.length} gaps`;
  return `Nothing could be received for ${roundDuration(gapSeconds(gaps))}${which} from ${new Date(first.from).toISOString()} on (${first.reason}): more may have been sent.`;
}

/** A remark if slices name TF files that were not announced, since samples then cannot be compared in full. */
function samplesRemark(sql: Prepare, { execution_id: id, tf_files_sliced: sliced, counts, dialects }: HeardFacts) {
  const others = count(
    sql,
    `${slicedSamples} AND NOT EXISTS (
       SELECT 1 FROM message_subjects AS f WHERE f.execution_id = $id AND subject = 'tf_file_registered' AND key = tf_filename)`,
    { id },
  );
  if (others === 0) return undefined;
  return areAll(dialects, 'renamesTfFiles') && others === sliced && counts.tf_files_received > 0
    ? 'Slices and announcements name TF files differently, so samples are compared only by number.'
    : `No announcement was received for ${others} of the ${sliced} TF files that slices name.`;
}

/**
 * As SQL: each TF file with the frames of its slices. If the slices are adjacent, their frames add up to the
 * range from the first frame to the last.
 */
const sliced = `FROM (SELECT tf_filename, min(tf_first) AS low, max(tf_last) AS high, sum(tf_count) AS frames ${slices} GROUP BY tf_filename)`;
const unsliced = `${sliced} WHERE frames <> high - low + 1`;

/**
 * Counts all items of a kind, and finds the missing ones.
 * @param all the rest of a SELECT for all items: FROM and what follows
 * @param lacking the same for the missing items
 */
function missing(sql: Prepare, id: string, column: string, all: string, lacking: string): Compared {
  const expected = count(sql, all, { id });
  const lacks = someOf(sql, column, lacking, { id }, { most: namedIds, order: '1' });
  return { expected, found: expected - lacks.count, ids: [...lacks.ids], id_count: lacks.count };
}

/** Checks the number of STFs against the total stated when the run ended. */
function checkAnnounced(sql: Prepare, { execution_id }: ExecutionRow, found: number): AuditCheck {
  const stated = sql<number | null>('SELECT total_stf_files FROM runs WHERE execution_id = ?');
  const counts = { expected: stated.value(execution_id) ?? found, found, ids: [] };
  return checked('stf_announced', counts, 'open', 'STF files of the run were not received');
}

function checkCounts(sql: Prepare, execution: ExecutionRow): AuditCheck {
  const rows = sql<Record<string, number>>(
    `SELECT (SELECT count(*) FROM stf_files WHERE execution_id = $id) AS stf_count, (SELECT count(*) FROM message_subjects WHERE execution_id = $id AND subject = 'tf_file_registered' AND stands_seq IS NULL) AS tf_files_received,
       count(*) AS slices_created, count(*) FILTER (WHERE status = 'unanswered') AS slices_queued,
       count(*) FILTER (WHERE status = 'completed') AS slices_completed, count(*) FILTER (WHERE status = 'failed') AS slices_failed
     FROM tf_slices WHERE execution_id = $id`,
  ).get({ id: execution.execution_id });
  return checked(
    'counts',
    comparedCounts(rows ?? {}, countsOf(sql, execution.execution_id)),
    'broken',
    'stored counts do not match the rows',
  );
}
