import { markdownText } from '../../lib/markdown.ts';
import type { Deed, Shift, ShiftExecution, ShiftFacts } from './facts.ts';

const minutes = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 16)}`;

const shownRows = 15;
const shownCauses = 6;
const shownDeeds = 12;
const shownOpen = 10;
const longestMatter = 400;

/** The report of a shift as Markdown. The same facts give the same words. */
export function shiftText(shift: Shift, facts: ShiftFacts): string {
  const { causes, deeds } = facts;
  return [
    `# Shift report, ${minutes(shift.start_time)} to ${minutes(shift.end_time)} UTC`,
    '',
    totalsLine(facts, shift),
    '',
    ...section('Executions', executionTable(facts)),
    ...section(
      'Failures by cause',
      some(
        causes
          .toSorted((a, b) => b.count - a.count)
          .map(({ keys, count }) => `- ${count} × ${markdownText(keys[0] ?? '')}`),
        shownCauses,
        'causes',
      ),
    ),
    ...section('Who did what', some(deeds.map(deedLine), shownDeeds, 'deeds')),
    ...section(
      'Open',
      some(
        openMatters(facts).map((line) => `- ${markdownText(line, longestMatter)}`),
        shownOpen,
        'matters',
      ),
    ),
  ]
    .join('\n')
    .trimEnd();
}

const section = (title: string, lines: readonly string[]): string[] => [
  `## ${title}`,
  '',
  ...(lines.length === 0 ? ['None.'] : lines),
  '',
];

const some = (lines: readonly string[], most: number, what: string): string[] =>
  lines.length <= most ? [...lines] : [...lines.slice(0, most), `- and ${lines.length - most} more ${what}`];

function totalsLine({ all, ended }: ShiftFacts, { namespace }: Shift): string {
  const of = (status: string): number => all.filter((row) => row.status === status).length;
  const states = ['running', 'completed', 'failed', 'terminated']
    .map((status) => ({ status, n: of(status) }))
    .filter(({ n }) => n > 0)
    .map(({ status, n }) => `${n} ${status}`);
  const slices = (status: string): number => ended.find(({ keys }) => keys[0] === status)?.count ?? 0;
  const where = namespace === undefined ? '' : ` in namespace ${markdownText(namespace)}`;
  const executions = `${all.length} execution${all.length === 1 ? '' : 's'}${where}${states.length === 0 ? '' : `: ${states.join(', ')}`}`;
  return `${executions}. In this time ${slices('completed')} slices were completed and ${slices('failed')} failed.`;
}

function executionTable({ executions, all }: ShiftFacts): string[] {
  if (all.length === 0) return [];
  const more = all.length - Math.min(executions.length, shownRows);
  return [
    '| execution | status | STF files | slices done of those made | stay failed | started | took s |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...executions
      .slice(0, shownRows)
      .map(
        ({ row, health, stay_failed, duration_seconds }) =>
          `| ${markdownText(row.execution_id)} | ${row.status}${row.status === 'running' ? `, ${health}` : ''} | ${row.stf_count} | ${row.slices_completed} of ${row.slices_created} | ${stay_failed} | ${minutes(row.start_time)} | ${Math.round(duration_seconds)} |`,
      ),
    ...(more > 0 ? ['', `and ${more} more executions`] : []),
  ];
}

const deedLine = ({ time, name, sent_by, did, execution_id, reason }: Deed): string =>
  `- ${minutes(time)} ${markdownText(name, 60)}${sent_by === undefined ? '' : ` (as ${markdownText(sent_by, 60)} claims)`} ${did} ${markdownText(execution_id)}${reason === undefined ? '' : ` (${markdownText(reason)})`}`;

/** Matters that the next shift has to look at: runs that go on, and what was left. */
export function openMatters({ executions, all }: ShiftFacts): string[] {
  const unseen = all.length - executions.length;
  return [
    ...(unseen === 0
      ? []
      : [`${unseen} more executions, which have ended, were not looked at; ask for a shorter time`]),
    ...executions.flatMap((execution) => openOf(execution)),
  ];
}

function openOf({ row, health, stay_failed, findings }: ShiftExecution): string[] {
  const id = row.execution_id;
  if (row.status === 'running')
    return [
      `${id} runs, health ${health}: ${row.slices_completed} of ${row.slices_created} slices done that were made so far`,
      ...findings
        .filter(({ severity }) => severity !== 'info')
        .map(({ code, sentence }) => `${id} ${code}: ${sentence}`),
    ];
  const left = stay_failed === 0 ? [] : [`${id}: ${stay_failed} slices stay failed, their data are not processed`];
  if (row.status === 'completed') return left;
  const why = row.status_reason === null || row.status_reason === row.status ? '' : ` (${row.status_reason})`;
  const undone = row.slices_created - row.slices_completed - stay_failed;
  return [`${id} was ${row.status}${why}${undone > 0 ? `: ${undone} slices undone` : ''}`, ...left];
}
