import { longestCause } from '../../domain/causes.ts';
import { periodWords } from '../../domain/period-words.ts';
import { executionStatuses } from '../../domain/states.ts';
import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { claimedName, clause, headOf, markdownText, shortPaths, shownTime, withPlainTimes } from '../../lib/words.ts';
import { type Condition, isCalm, worstFirst } from '../../monitoring/worst-first.ts';
import { failedFiles } from '../shared/sites.ts';
import type { ShiftFacts, Totals } from './facts.ts';
import {
  graveOf,
  type Handover,
  mostTelling,
  type PersonAction,
  type Shift,
  type ShiftExecution,
  undone,
  undoneByPeople,
  unseenAlarms,
} from './shift.ts';

const shownRows = 15;
const shownCauses = 6;
const shownActions = 12;
const shownOpen = 10;
const shownAlarms = 10;
const shownNotes = 12;

/** The facts, with what the answer derives from them. */
type ToldFacts = ShiftFacts & { totals: Totals; open: readonly string[] };

/**
 * The report of a shift as Markdown, for an electronic logbook, in the order of the page: first what is open,
 * last what the next shift should know. The same facts give the same text.
 * @param page the address of the page, for links; undefined: no links
 */
export function shiftText(shift: Shift, facts: ToldFacts, page: string | undefined): string {
  const { causes, actions, handover, totals } = facts;
  const { left: fromLast, notes, forNext, alarms, isWatched } = handover;
  const shown = page === undefined ? shownTime : linksTo(page);
  const failures = causes.map(
    ({ keys, count }) => `- ${counted(count, 'attempt')}: ${markdownText(keys[0] ?? '', longestCause)}`,
  );
  const open = facts.open.map((line) => `- ${markdownText(withPlainTimes(line), 400)}`);
  return [
    `# Shift report, ${shownTime(shift.start_time)} to ${shownTime(shift.end_time)}`,
    totalsLine(totals, shift),
    '## Open',
    ...(open.length === 0 ? ['None.'] : some(open, shownOpen, 'more open items')),
    ...section('From the last shift', noteLines(fromLast, shown)),
    ...section('Executions', executionTable(facts, shown)),
    ...section('Failed attempts by cause', some(failures, shownCauses, 'more causes')),
    ...section('Alarms', [
      ...newest(alarms, shownAlarms, 'earlier alarm', (alarm) => alarmLine(alarm, shown)),
      ...(isWatched === false ? ['"swf-mcp watch" is no longer running, so no alarms are raised: start it.'] : []),
    ]),
    ...section('Notes', noteLines(notes, shown)),
    ...section(
      'Who did what',
      actionLines(
        actions.filter((action) => isTold(action, facts.all)),
        shown,
      ),
    ),
    ...section('For the next shift', noteLines(forNext, shown)),
  ].join('\n');
}

/**
 * Whether an action has its own line: the table says who started a run, unless a client did, and an alarm who
 * has seen it.
 */
const isTold = ({ did, name, execution_id }: PersonAction, all: ShiftFacts['all']) =>
  did === 'started'
    ? all.some((row) => row.execution_id === execution_id && row.executed_by !== name)
    : !did.startsWith('saw ');

const noteLines = (notes: Handover['notes'], shown: ShownTime) =>
  newest(notes, shownNotes, 'earlier note', (note) => noteLine(note, shown));

/** The last rows, which are the newest, in their order. */
function newest<Row>(rows: readonly Row[], most: number, what: string, line: (row: Row) => string) {
  const lines = rows.slice(-most).map(line);
  const more = rows.length - lines.length;
  return more === 0 ? lines : [`- ${counted(more, what)} not shown; ask for a shorter period`, ...lines];
}

/** Links times to the page as it was then: of an execution, or of the shift. */
const linksTo =
  (page: string): ShownTime =>
  (time, id) =>
    `[${shownTime(time)}](${page}#/${encodeURIComponent(id ?? 'shift')}?asof=${encodeURIComponent(time)})`;

/** A part under its title; without lines there is none. Markdown needs no empty lines between them. */
const section = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [`## ${title}`, ...lines]);

const some = (lines: readonly string[], most: number, what: string) =>
  lines.length <= most ? [...lines] : [...lines.slice(0, most), `- and ${lines.length - most} ${what}`];

function totalsLine(totals: Totals, { namespace }: Shift) {
  const states = executionStatuses.flatMap((status) => (totals[status] === 0 ? [] : `${totals[status]} ${status}`));
  const where = namespace === undefined ? '' : ` in namespace ${markdownText(namespace)}`;
  const head = `${counted(totals.executions, 'execution')}${where}${states.length === 0 ? '' : `: ${states.join(', ')}`}`;
  return `${head}. ${periodWords(totals, counted)}`;
}

function actionLines(actions: readonly PersonAction[], shown: ShownTime) {
  const lines = mostTelling(actions, shownActions).map((action) => actionLine(action, shown));
  const more = actions.length - lines.length;
  return more === 0 ? lines : [...lines, `- and ${counted(more, 'earlier action')}`];
}

const slicesDone = ({ why_uncounted, slices_completed, slices_created }: ShiftExecution) =>
  why_uncounted === undefined ? `${slices_completed} of ${slices_created}` : '';

/** Without slices, STF files fail. */
function failedWords({ row, why_uncounted, stay_failed }: ShiftExecution) {
  const files = failedFiles(row);
  if (files !== undefined) return counted(files, 'STF file');
  return why_uncounted === undefined ? stay_failed : '';
}

function executionTable({ executions, all, handover: { qualities } }: ShiftFacts, shown: ShownTime) {
  if (all.length === 0) return [];
  const more = all.length - Math.min(executions.length, shownRows);
  return [
    '| execution | status | by | quality | STF files | slices completed / created | failed permanently | started | took |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...executions
      .slice(0, shownRows)
      .map(
        (one) =>
          `| ${markdownText(one.row.execution_id)} | ${stateWords(one)} | ${markdownText(one.row.executed_by ?? '', 40)} | ${qualities.get(one.row.execution_id)?.value ?? ''} | ${one.stf_count} | ${slicesDone(one)} | ${failedWords(one)} | ${shown(one.row.start_time, one.row.execution_id)} | ${clause('', one.duration_seconds === undefined ? undefined : roundDuration(one.duration_seconds))} |`,
      ),
    ...(more > 0 ? ['', `and ${counted(more, 'more execution')}`] : []),
  ];
}

/** The status of an execution, and its health or its silence while it runs. */
const stateWords = ({ status, health, silent_seconds }: Pick<ShiftExecution, 'status' | 'health' | 'silent_seconds'>) =>
  silent_seconds !== undefined
    ? `${status}, no driver for ${roundDuration(silent_seconds)}`
    : `${status}${status === 'running' && health !== undefined ? `, ${health}` : ''}`;

const actionLine = ({ time, name, sent_by, did, execution_id, reason }: PersonAction, shown: ShownTime) =>
  `- ${shown(time, execution_id)} ${whoOf(name, sent_by)} ${did} ${markdownText(execution_id)}${reason === undefined ? '' : ` (${markdownText(reason)})`}`;

/**
 * Matters for the next shift: executions that need a person, alarms to see and executions to judge, then
 * executions that run well. A reader may see only the first.
 */
export function openMatters({ executions, all, handover }: ShiftFacts, shift: Shift): string[] {
  const unseen = all.length - executions.length;
  const ranked = worstFirst(executions, conditionOf);
  const openNow = (execution: ShiftExecution) => openOf(execution, handover);
  return [
    unseen === 0
      ? []
      : `${counted(unseen, 'more execution')} ${unseen === 1 ? 'was' : 'were'} not examined; ask for a shorter period or one namespace`,
    ranked.filter((one) => !isCalm(conditionOf(one))).flatMap(openNow),
    undoneByPeople(handover, executions, shift),
    ranked.filter((one) => isCalm(conditionOf(one))).flatMap(openNow),
  ].flat();
}

/**
 * The condition of an execution with the work that it left undone as a finding. Only a running one has a
 * health: an ended one can wait.
 */
function conditionOf(execution: ShiftExecution): Condition {
  const { status, health, findings, stay_failed } = execution;
  const isGrave = status === 'failed' || stay_failed > 0;
  const isLeft = status !== 'running' && undone(execution) > 0;
  const own: Condition['findings'] = isGrave ? [{ severity: 'error' }] : isLeft ? [{ severity: 'warning' }] : [];
  return { health: status === 'running' ? health : undefined, findings: [...own, ...findings] };
}

function openOf(execution: ShiftExecution, handover: Handover) {
  const { row, status, health, silent_seconds, stay_failed } = execution;
  const { stf_count, why_uncounted, slices_completed, slices_created } = execution;
  const id = row.execution_id;
  // The causes have a part of their own.
  const grave = graveOf(execution).map(({ code, sentence }) => {
    const isUnseen = unseenAlarms(handover).some((alarm) => alarm.execution_id === id && alarm.code === code);
    return `${id} ${code}: ${shortPaths(sentence)}${isUnseen ? ' No one has seen its alarm.' : ''}`;
  });
  if (status === 'running') {
    const done =
      why_uncounted === undefined
        ? `${slices_completed} of ${slices_created} slices made so far are done`
        : `${counted(stf_count, 'STF file')} announced so far`;
    return [
      health === undefined
        ? `${id} was running at the end of this period: ${done}`
        : `${id} is running, ${silent_seconds === undefined ? '' : `without a driver for ${roundDuration(silent_seconds)}, `}health ${health}: ${done}`,
      ...grave,
    ];
  }
  const why = row.status_reason === null || row.status_reason === status ? '' : ` (${row.status_reason})`;
  const not = undone(execution);
  return [
    status === 'completed'
      ? []
      : `${id} ${status === 'unknown' ? 'is' : 'was'} ${status}${why}${not > 0 ? `: ${counted(not, 'slice')} unfinished` : ''}`,
    stay_failed === 0 ? [] : `${id}: ${counted(stay_failed, 'slice')} failed permanently`,
    grave,
  ].flat();
}

type Note = Handover['notes'][number];
type Alarm = Handover['alarms'][number];

/**
 * Formats a time, with a link to the page as it was then if the page is known.
 * @param executionId if left out, the shift itself
 */
type ShownTime = (time: string, executionId?: string | null) => string;

const longestNote = 600;

/** A name, with its claimant. */
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
