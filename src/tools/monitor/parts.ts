import type { ExecutionRow } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';
import type { FullAssessment } from '../../db/reports/assessment.ts';
import type { ExecutionRecord } from '../../db/reports/execution-detail.ts';
import { type CauseCount, causeOf, clipCause, longestCause } from '../../domain/causes.ts';
import { shownDrivers } from '../../domain/shown.ts';
import { shownDelay } from '../../domain/stages.ts';
import { isPrompt, statusReasonOf } from '../../domain/workflows.ts';
import { logLevels } from '../../lib/logger.ts';
import { onceFor } from '../../lib/once-for.ts';
import { present } from '../../lib/present.ts';
import { printable } from '../../lib/printable.ts';
import { shortPaths } from '../../lib/words.ts';
import type { CommandGiven, DriverSpan } from '../../monitoring/evidence.ts';
import { type Finding, sentencesOf } from '../../monitoring/findings/rule.ts';
import type { HeardFacts } from '../../monitoring/heard-facts.ts';
import type { AgedSlice } from '../../monitoring/pace.ts';
import { clip, clipShown } from '../shared/clip.ts';

export const lastEvents = 6;
const shownAgents = 12;
/** Maximum length of a text from other programs, in characters. */
export const shownText = 300;

const shownName = 80;

/** Cuts a name: names come from other hosts too, and may be long. */
const name = (text: string) => clipShown(text, shownName);

const commandOf = ({ name: by, time, reason, claimed_by, sent_by }: CommandGiven) =>
  present({
    name: name(by),
    time,
    reason: clipped(reason),
    claimed_by: clipped(claimed_by),
    sent_by: clipped(sent_by),
  });

type KnownEvidence = FullAssessment['evidence'];

/** The people who paused and stopped an execution; `pending` if no driver has acted on the stop yet. */
export function commandsOf(evidence: KnownEvidence, stop: CommandGiven | undefined) {
  const { paused_by, pending_stop }: Partial<NonNullable<KnownEvidence>> = evidence ?? {};
  return {
    paused_by: paused_by && commandOf(paused_by),
    stopped_by:
      stop === undefined ? pending_stop && { ...commandOf(pending_stop), pending: true as const } : commandOf(stop),
  };
}

export function driversOf(evidence: KnownEvidence) {
  if (evidence === undefined) return {};
  const { shown, omitted } = shownDrivers(evidence.drivers);
  return { drivers: shown.map(driverOf), drivers_omitted: omitted === 0 ? null : omitted };
}

/** The progress and delays of an execution. Without a driver, no stage is working, even if work is waiting. */
export function flowOf({ progress, delays, driving }: FullAssessment, isDriven: boolean) {
  const latency = delays.map(shownDelay);
  if (driving === undefined) return { stages: [], latency };
  return {
    progress: present({ ...progress, ...driving.left }),
    stages: isDriven ? driving.stages.map((stage) => present({ ...stage })) : [],
    latency,
    capacity: driving.capacity && present({ ...driving.capacity }),
  };
}

/** How long the execution has been running, and when its first slice and its end are expected. */
export const livesOf = ({ duration_seconds, down_seconds, driving }: FullAssessment) => ({
  duration_seconds,
  down_seconds: down_seconds === 0 ? null : Math.round(down_seconds * 10) / 10,
  expected_end: driving?.forecast.expected_end,
  first_slice_at: driving?.forecast.first_slice_at,
});

const driverOf = onceFor(({ since, until, ended, code, reason, ...driver }: DriverSpan) => {
  const why = reason === undefined || code === undefined ? reason : `${code}: ${reason}`;
  return present({
    ...driver,
    since,
    // It is unknown when a lost driver ended.
    ...(ended === 'lost' ? { last_heard: until } : { until }),
    by: name(driver.by),
    claimed_by: clipShown(driver.claimed_by, shownName),
    host: name(driver.host),
    speed: driver.speed === undefined ? null : String(driver.speed),
    version: name(driver.version),
    ended,
    reason: clipped(why),
  });
});

export const shownCauses = 4;

const shownCause = (cause: string) => clipCause(printable(cause), longestCause);

export function causesOf(causes: readonly CauseCount[]) {
  if (causes.length === 0) return null;
  return causes.slice(0, shownCauses).map(({ cause, attempts, example }) => ({
    cause: shownCause(cause),
    attempts,
    // After being cut, the cause and its example may be equal.
    ...(example === undefined || shownCause(example) === shownCause(cause) ? {} : { example: shownCause(example) }),
  }));
}

export const heldOf = ({ slice_filename, assigned_worker, since, seconds }: AgedSlice) => ({
  slice_filename,
  assigned_worker: name(assigned_worker),
  since,
  seconds: Math.round(seconds * 10) / 10,
});

export function oldestOf({ driving }: FullAssessment) {
  if (driving?.in_hand.oldest === undefined) return null;
  const { oldest, ends } = driving.in_hand;
  return present({ ...heldOf(oldest), attempt: oldest.attempt, usual_seconds: driving.pace.usual_seconds, ...ends });
}

/** The dataset of a run; for prompt processing, what is known about it. */
export function datasetOf(
  { dataset_name, dataset_state: state, dataset_files: files, dataset_bytes: bytes }: ExecutionRecord,
  { workflow_name, processing_unheard }: ExecutionRow,
) {
  if (dataset_name === null) return null;
  if (isPrompt({ workflow_name }))
    return present({ name: dataset_name, state, ...(processing_unheard === 0 ? { files } : {}) });
  return state === null ? null : { name: dataset_name, state, files, bytes };
}

/** The known names of an execution. */
export const namesOf = (
  { origin, workflow_name, namespace, executed_by, run_number }: ExecutionRow,
  heard: HeardFacts | undefined,
) => ({
  origin,
  workflow_name,
  namespace: namespace === '' ? null : namespace,
  executed_by,
  run_id: heard?.run_id ?? String(run_number),
  run_number,
});

/** Why an execution has its status, if the reason says more than the status. */
export function statusReason(execution: ExecutionRow): string | null {
  const reason = statusReasonOf(execution);
  return reason === 'completed' ? null : clipped(reason);
}

export function agentsOf(executionId: string, queries: Queries) {
  const driverPid = queries.driver(executionId)?.pid;
  const { rows } = queries.agents(
    { took_part_in: executionId, include_exited: true },
    { order: 'newest', limit: shownAgents, uncounted: true },
  );
  // The agents of an earlier driver ended with that driver, whose end is listed among the drivers.
  return rows
    .filter(({ ended, pid }) => ended !== 'lost' && (ended !== 'fault' || pid === driverPid))
    .map(({ agent_name, state, status, last_heartbeat, heard_on }) =>
      heard_on === null ? present({ agent_name, state, status, last_heartbeat }) : { agent_name, last_heartbeat },
    );
}

/** Maximum length of a sentence: enough for the longest reason that a driver gives and the words around it. */
const shownSentence = 1500;

/**
 * Findings with their whole sentences (cause, cost and remedy); long paths are shortened to their last two
 * parts. Only the first finding names the reasons why attempts failed.
 */
export function findingsOf(findings: readonly Finding[]) {
  const sentences = sentencesOf(findings);
  return findings.map(({ code, severity, ids, next }, at) => ({
    code,
    severity,
    sentence: clipShown(shortPaths(sentences[at] ?? ''), shownSentence),
    ids: [...ids],
    next,
  }));
}

export function clipped(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  const shown = clipShown(text, shownText);
  return shown.length < shownText ? shown : `${clip(shown, shownText - 1)}…`;
}

const shownErrors = 8;

/**
 * How many characters of a cause to compare with an error: a log line may have been cut before the end of the
 * cause.
 */
const comparedCause = 100;

/** How many recent errors to examine in order to find different ones. */
const errorsLookedAt = 50;

/**
 * The last errors that agents logged and the last messages that were not applied as sent, newest first. Errors
 * that differ only in numbers and names are shown as one: the newest, with the number of others among those
 * examined. Errors whose cause is listed in the answer are left out.
 */
export function lastErrors(executionId: string, queries: Queries, listed: readonly CauseCount[]) {
  const logs = queries.lastLogLines(executionId, logLevels.ERROR, errorsLookedAt).map((row) => ({
    time: row.timestamp,
    source: row.agent,
    error: clipped(row.message) ?? '',
    log_id: row.key,
  }));
  const messages = queries.lastTroubledMessages(executionId, errorsLookedAt).map((row) => ({
    time: row.recorded_at,
    source: row.sender_agent ?? row.destination,
    error: `${row.message_type} ${row.effect}: ${clipped(row.effect_reason) ?? ''}`,
    message_id: row.message_id,
  }));
  const newest = [...logs, ...messages]
    .toSorted((a, b) => (a.time === b.time ? 0 : a.time < b.time ? 1 : -1))
    .slice(0, errorsLookedAt);
  const causes = newest.map(({ error }) => causeOf(error));
  const isListed = (cause: string | undefined) =>
    listed.some((one) => cause?.includes(causeOf(one.cause).slice(0, comparedCause)) === true);
  return newest
    .map((row, at) => {
      const alike = causes.filter((cause) => cause === causes[at]).length;
      return { ...row, ...(alike === 1 ? {} : { more: alike - 1 }) };
    })
    .filter((_, at) => causes.indexOf(causes[at] ?? '') === at && !isListed(causes[at]))
    .slice(0, shownErrors);
}
