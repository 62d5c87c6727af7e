import { longestCause } from '../../domain/causes.ts';
import { periodWords } from '../../domain/period-words.ts';
import { executionStatuses } from '../../domain/states.ts';
import { counted, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import {
  claimedName,
  clause,
  clipWords,
  headOf,
  markdownText,
  shortPaths,
  shownTime,
  withPlainTimes,
} from '../../lib/words.ts';
import { alarmIdOf } from '../../monitoring/findings/alarms.ts';
import { type Condition, isCalm, worstFirst } from '../../monitoring/worst-first.ts';
import { failedFiles } from '../shared/sites.ts';
import type { ShiftFacts, Totals } from './facts.ts';
import {
  graveOf,
  type Handover,
  isUnseen,
  most,
  mostTelling,
  type PersonAction,
  type Shift,
  type ShiftExecution,
  undone,
  undoneByPeople,
} from './shift.ts';

/** The facts, and what the answer derives from them. */
type ToldFacts = ShiftFacts & { totals: Totals; open: readonly string[] };

/**
 * The report of a shift as Markdown, for an electronic logbook, in the same order as the page: first what is
 * open, last what the next shift should know. The same facts give the same text.
 * @param page the address of the page, for links; if undefined, there are no links
 */
export function shiftText(shift: Shift, facts: ToldFacts, page: string | undefined) {
  const { left: fromLast, notes, forNext, isWatched } = facts.handover;
  const listed = facts.open.slice(0, most.open);
  // Its line under "Open" says that no one has seen the alarm.
  const alarms = facts.handover.alarms.filter(
    (alarm) => !isUnseen(alarm) || !listed.some((line) => line.startsWith(`${alarm.subject} ${alarm.code}: `)),
  );
  const shown = page === undefined ? shownTime : linksTo(page);
  const failures = facts.causes.map(
    ({ keys, count }) => `- ${counted(count, 'attempt')}: ${markdownText(keys[0] ?? '', longestCause)}`,
  );
  const open = facts.open.map((line) => `- ${markdownText(withPlainTimes(line), 400)}`);
  return [
    `# Shift report, ${shownTime(shift.start_time)} to ${shownTime(shift.end_time)}`,
    totalsLine(facts.totals, shift),
    '## Open',
    ...(open.length === 0 ? ['None.'] : some(open, most.open, 'more open items')),
    ...section('From the last shift', noteLines(fromLast, shown)),
    ...section('Executions', executionTable(facts, shown)),
    ...section('Failed attempts by cause', some(failures, most.causes, 'more causes')),
    ...section('Alarms', [
      ...newest(alarms, 'earlier alarm', (alarm) => alarmLine(alarm, shown)),
      ...(isWatched === false ? ['"swf-mcp watch" is no longer running, so no alarms are raised: start it.'] : []),
    ]),
    ...section('Notes', noteLines(notes, shown)),
    ...section(
      'Who did what',
      actionLines(
        facts.actions.filter((action) => isTold(action, facts.all)),
        shown,
      ),
    ),
    ...section('For the next shift', noteLines(forNext, shown)),
  ].join('\n');
}

/**
 * Whether an action has its own line. The table already says who started a run, unless a client did, and an
 * alarm's line says who has seen it.
 */
const isTold = ({ did, name, execution_id }: PersonAction, all: ShiftFacts['all']) =>
  did === 'started'
    ? all.some((row) => row.execution_id === execution_id && row.executed_by !== name)
    : !did.startsWith('saw ');

const noteLines = (notes: Handover['notes'], shown: ShownTime) =>
  newest(notes, 'earlier note', (note) => noteLine(note, shown));

/** The last rows, which are the newest, in their original order. */
function newest<Row>(rows: readonly Row[], what: string, line: (row: Row) => string) {
  const lines = rows.slice(-most.notes).map(line);
  const more = rows.length - lines.length;
  return more === 0 ? lines : [`- ${counted(more, what)} not shown; ask for a shorter period`, ...lines];
}

/** Links each time to the page of an execution or of the shift as it was at that time. */
const linksTo =
  (page: string): ShownTime =>
  (time, id) =>
    `[${shownTime(time)}](${page}#/${encodeURIComponent(id ?? 'shift')}?asof=${encodeURIComponent(time)})`;

/** A section with its title; empty if there are no lines. Markdown needs no empty line after the title. */
const section = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [`## ${title}`, ...lines]);

const some = (lines: readonly string[], limit: number, what: string) =>
  lines.length <= limit ? [...lines] : [...lines.slice(0, limit), `- and ${lines.length - limit} ${what}`];

function totalsLine(totals: Totals, { namespace }: Shift) {
  const states = executionStatuses.flatMap((status) => (totals[status] === 0 ? [] : `${totals[status]} ${status}`));
  const where = namespace === undefined ? '' : ` in namespace ${markdownText(namespace)}`;
  const head = `${counted(totals.executions, 'execution')}${where}${states.length === 0 ? '' : `: ${states.join(', ')}`}`;
  return `${head}. ${periodWords(totals, counted)}`;
}

function actionLines(actions: readonly PersonAction[], shown: ShownTime) {
  const lines = mostTelling(actions).map((action) => actionLine(action, shown));
  const more = actions.length - lines.length;
  return more === 0 ? lines : [...lines, `- and ${counted(more, 'earlier action')}`];
}

const slicesDone = ({ why_uncounted, slices_completed, slices_created }: ShiftExecution) =>
  why_uncounted === undefined ? `${slices_completed} of ${slices_created}` : '';

/** Number of failures: of STF files in prompt processing, otherwise of slices. */
function failedWords({ row, why_uncounted, stay_failed }: ShiftExecution) {
  const files = failedFiles(row);
  if (files !== undefined) return counted(files, 'STF file');
  return why_uncounted === undefined ? stay_failed : '';
}

function executionTable({ executions, all, handover: { qualities } }: ShiftFacts, shown: ShownTime) {
  if (all.length === 0) return [];
  const more = all.length - Math.min(executions.length, most.executions);
  return [
    '| execution | status | by | quality | STF files | slices completed / created | failed permanently | started | took |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...executions
      .slice(0, most.executions)
      .map(
        (one) =>
          `| ${markdownText(one.row.execution_id)} | ${stateWords(one)} | ${markdownText(one.row.executed_by ?? '', 40)} | ${qualities.get(one.row.execution_id)?.value ?? ''} | ${one.stf_count} | ${slicesDone(one)} | ${failedWords(one)} | ${shown(one.row.start_time, one.row.execution_id)} | ${clause('', one.duration_seconds === undefined ? undefined : roundDuration(one.duration_seconds))} |`,
      ),
    ...(more > 0 ? ['', `and ${counted(more, 'more execution')}`] : []),
  ];
}

/** The status of an execution, and, while it runs, its health or how long it has had no driver. */
const stateWords = ({ row, status, health, silent_seconds }: ShiftExecution) =>
  status === 'unknown' && row.status_reason !== null
    ? withPlainTimes(row.status_reason)
    : silent_seconds !== undefined
      ? `${status}, no driver for ${roundDuration(silent_seconds)}`
      : `${status}${status === 'running' && health !== undefined ? `, ${health}` : ''}`;

const actionLine = ({ time, name, sent_by, did, execution_id, reason }: PersonAction, shown: ShownTime) =>
  `- ${shown(time, execution_id)} ${whoOf(name, sent_by)} ${did} ${markdownText(execution_id)}${reason === undefined ? '' : ` (${markdownText(reason)})`}`;

/**
 * Open matters for the next shift: executions that need a person's attention, then alarms that no one has seen
 * and executions without a quality, then executions that are running well. Some readers see only the first
 * ones.
 */
export function openMatters({ executions, all, handover }: ShiftFacts, shift: Shift) {
  const unseen = all.length - executions.length;
  const ranked = worstFirst(executions, conditionOf);
  const unseenIds = handover.alarms.filter(isUnseen).map(({ alarm_id }) => alarm_id);
  const openNow = (execution: ShiftExecution) => openOf(execution, unseenIds);
  return [
    unseen === 0 ? [] : `${were(unseen, 'more execution')} not examined; ask for a shorter period or one namespace`,
    ranked.filter((one) => !isCalm(conditionOf(one))).flatMap(openNow),
    undoneByPeople(handover, executions, shift),
    ranked.filter((one) => isCalm(conditionOf(one))).flatMap(openNow),
  ].flat();
}

/** Failures and unfinished work count as a finding. Health counts only for a running execution: an ended one can wait. */
function conditionOf(execution: ShiftExecution): Condition {
  const { status, health, findings, stay_failed } = execution;
  const isRunning = status === 'running';
  const isLeft = stay_failed > 0 || (!isRunning && undone(execution) > 0);
  const own = status === 'failed' ? 'error' : isLeft ? 'warning' : 'info';
  return { health: isRunning ? health : undefined, findings: [{ severity: own }, ...findings] };
}

function openOf(execution: ShiftExecution, unseenIds: readonly string[]) {
  const { row, status, health, silent_seconds } = execution;
  const id = row.execution_id;
  const isRunning = status === 'running';
  // Of an ended execution, the errors suffice or, without any, the worst finding.
  const listed = graveOf(execution).filter(({ severity }, at) => isRunning || at === 0 || severity === 'error');
  const grave = listed.map((finding) => {
    const alarm = unseenIds.includes(alarmIdOf(id, finding));
    // Cut, so that a line of 400 characters has room for what is said of the alarm.
    return `${id} ${finding.code}: ${clipWords(shortPaths(finding.sentence), 260)}${alarm ? ' No one has seen its alarm.' : ''}`;
  });
  if (isRunning) {
    const done =
      execution.why_uncounted === undefined
        ? `${execution.slices_completed} of ${execution.slices_created} slices made so far are done`
        : `${counted(execution.stf_count, 'STF file')} announced so far`;
    return [
      health === undefined
        ? `${id} was running at the end of this period, health unknown: ${done}`
        : `${id} is running, ${silent_seconds === undefined ? '' : `without a driver for ${roundDuration(silent_seconds)}, `}health ${health}: ${done}`,
      ...grave,
    ];
  }
  const why = row.status_reason === null || row.status_reason === status ? '' : ` (${row.status_reason})`;
  const not = undone(execution);
  // The finding says more about how an execution ended.
  const isSaid = status === 'completed' || listed[0]?.code === 'EXECUTION_FAILED';
  const ending = `${id} ${status === 'unknown' ? 'has' : 'ended with'} status ${status}${why}${not > 0 ? `: ${counted(not, 'slice')} unfinished` : ''}`;
  return isSaid ? grave : [ending, ...grave.slice(0, 1)];
}

type Note = Handover['notes'][number];
type Alarm = Handover['alarms'][number];

/**
 * Formats a time, with a link to the page as it was at that time if the page is known.
 * @param executionId if omitted, the link is to the shift
 */
type ShownTime = (time: string, executionId?: string | null) => string;

const longestNote = 600;

/** A person's name, with the sender if the name is only claimed. */
const whoOf = (name: string, sentBy: string | null | undefined) => markdownText(claimedName(name, sentBy), 120);

const noteLine = ({ at, author, sent_by, execution_id, about, text }: Note, shown: ShownTime) => {
  const who = whoOf(author, sent_by);
  const what = [execution_id, about].filter((name) => name !== null).map((name) => markdownText(name));
  return `- ${shown(at, execution_id)} ${who}${what.length === 0 ? '' : `, ${what.join(', ')}`}: ${markdownText(text, longestNote)}`;
};

const alarmLine = (
  { raised_at, cleared_at, seen_by, seen_sent_by, seen_at, seen_text, count, alarm_id, sentence, execution_id }: Alarm,
  shown: ShownTime,
) => {
  const life = [
    count === 1 ? [] : `raised ${count} times`,
    seen_by === null
      ? 'not seen'
      : `seen by ${whoOf(seen_by, seen_sent_by)} at ${shownTime(seen_at ?? '')}${seen_text === null ? '' : `, ${markdownText(seen_text, 100)}`}`,
    cleared_at === null ? 'not cleared' : `cleared at ${shownTime(cleared_at)}`,
  ].flat();
  return `- ${shown(raised_at, execution_id)} ${markdownText(alarm_id)} (${life.join(', ')}): ${markdownText(headOf(sentence), 300)}`;
};
