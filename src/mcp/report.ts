import type { Queries } from '../db/queries.ts';
import { areRetriesKnown } from '../domain/counts.ts';
import { shownDrivers } from '../domain/shown.ts';
import { stagesForPeople } from '../domain/stages.ts';
import { isPrompt, statusReasonOf } from '../domain/workflows.ts';
import { counted } from '../lib/counted.ts';
import { printable } from '../lib/printable.ts';
import { tried } from '../lib/tried.ts';
import { claimedName, markdownText as plain } from '../lib/words.ts';
import type { DriverSpan } from '../monitoring/evidence.ts';
import { sentencesOf } from '../monitoring/findings/rule.ts';
import { clause, openWords, promptFiles, statusWords, stayFailed } from './words.ts';

/** A report of each execution, as Markdown: the same store gives the same text. */
export const reportTemplate = {
  uriTemplate: 'swf://executions/{execution_id}/report',
  name: 'execution_report',
  title: 'Report of an execution',
  description:
    'Report on one execution: state, counts, delays, findings and whether its data is complete; execution_id may be "latest"',
  mimeType: 'text/markdown',
} as const;

/** A report of everything that ran since a time. */
export const shiftTemplate = {
  uriTemplate: 'swf://shift/{since}',
  name: 'shift_report',
  title: 'Report of a shift',
  description: 'What ran since a time such as -8h: done, failed, open, and who did what',
  mimeType: 'text/markdown',
} as const;

/** The start time that a resource's address names; undefined for any other address. */
export const sinceOfUri = (uri: string) => decoded(/^swf:\/\/shift\/([^/]+)$/.exec(uri)?.[1]);

/** How many executions' reports to offer clients. */
const maxOffered = 10;

/** The reports of the newest executions, and of the last eight hours. */
export function offeredReports(queries: Queries) {
  const { rows } = queries.executions({}, { order: 'newest', limit: maxOffered, uncounted: true });
  const { mimeType } = reportTemplate;
  return [
    ...rows.map(({ execution_id, status, start_time }) => ({
      uri: `swf://executions/${encodeURIComponent(execution_id)}/report`,
      name: `Report of ${execution_id}`,
      description: `${status}, started ${start_time}`,
      mimeType,
    })),
    {
      uri: 'swf://shift/-8h',
      name: 'Report of the last eight hours',
      description: shiftTemplate.description,
      mimeType,
    },
  ];
}

/** The execution that a resource's address names; undefined for any other address. */
export const executionOfUri = (uri: string) => decoded(/^swf:\/\/executions\/([^/]+)\/report$/.exec(uri)?.[1]);

const decoded = (part: string | undefined) => tried(() => (part === undefined ? undefined : decodeURIComponent(part)));

const driverLine = ({ epoch, by, host, pid, since, until, ended, code }: DriverSpan) =>
  `- driver ${epoch}: process ${pid ?? 'unknown'} on ${plain(host)}, started by ${plain(by)}, from ${since} to ${until ?? 'now'}${clause(', ', ended)}${clause(' (', code, ')')}`;

/** The most characters of a sentence. */
const longest = 500;

/** Throws `EXECUTION_NOT_FOUND`. */
export const reportOf = (queries: Queries, executionId: string, now: number): string =>
  queries.snapshot(() => {
    const execution = queries.execution(executionId);
    const dataAsOf = queries.dataAsOf();
    const assessed = queries.assessWithFindings(execution, now, dataAsOf);
    const { health, delays, findings, detail, driving, evidence, duration_seconds } = assessed;
    const audit = queries.audit(execution);
    const { execution_id, run_number, status, phase, namespace, executed_by, start_time, end_time } = execution;
    const status_reason = statusReasonOf(execution);
    const { shown, omitted } = shownDrivers(evidence?.drivers ?? []);
    const lines = [
      `# ${plain(execution_id)}${clause(', run ', run_number)}`,
      '',
      `${statusWords(status, status_reason && plain(status_reason, longest))}${clause(', health ', health)}${status === 'running' ? `, DAQ phase ${phase}` : ''}; namespace ${plain(namespace)}, started by ${plain(executed_by ?? 'other programs')} at ${start_time}${clause(', ended ', end_time)}, ${duration_seconds} s. Data as of ${dataAsOf ?? 'never'}.`,
      '',
      ...(isPrompt(execution)
        ? [`- STF files: ${promptFiles(String(execution.stf_count), execution, detail)}`]
        : [
            `- STF files: ${execution.stf_count} announced, ${detail.stfs_ready} ready`,
            `- TF samples: ${execution.tf_files_received}`,
            `- TF slices: ${execution.slices_created}: ${openWords(execution.slices_queued, driving?.in_hand)}, ${execution.slices_completed} completed, ${stayFailed(detail.slices_exhausted)}${areRetriesKnown(execution) ? `, ${counted(detail.slice_retries, 'retry', 'retries')}` : ''}`,
          ]),
      ...(omitted > 0 ? [`- ${counted(omitted, 'earlier driver')}`] : []),
      ...shown.map(driverLine),
      `- data: ${audit.verdict}`,
      ...audit.checks
        .filter(({ state }) => state !== 'ok')
        .map(
          ({ check, found, expected, problem, ids }) =>
            `  - ${check} ${found} of ${expected}: ${plain(problem ?? '', longest)} ${ids
              .slice(0, 5)
              .map((id) => plain(id))
              .join(', ')}`,
        ),
      '',
      '| stage | items | p50 s | p95 s | max s |',
      '| --- | --- | --- | --- | --- |',
      ...delays.map(
        ({ stage, items, p50, p95, max }) => `| ${stagesForPeople(stage)} | ${items} | ${p50} | ${p95} | ${max} |`,
      ),
      '',
      ...(findings.length === 0
        ? ['No findings.']
        : sentencesOf(findings).map(
            (sentence, at) => `- ${findings[at]?.severity} ${findings[at]?.code}: ${plain(sentence, longest)}`,
          )),
      ...peopleSection(queries, execution_id),
    ];
    return `${lines.map(printable).join('\n')}\n`;
  });

/** Notes that a report shows: the last ones. */
const shownNotes = 20;

/** The quality of an execution and the notes about it. */
function peopleSection(queries: Queries, executionId: string) {
  const quality = queries.qualityOf(executionId);
  const notes = queries.notesOf(executionId, shownNotes).toReversed();
  const lines = [
    quality === undefined
      ? []
      : `- quality ${quality.value}, by ${plain(claimedName(quality.author, quality.sent_by))} at ${quality.set_at}: ${plain(quality.reason, longest)}`,
    notes.map(
      ({ at, author, sent_by, about, text }) =>
        `- ${at} ${plain(claimedName(author, sent_by))}${about === null ? '' : `, ${plain(about)}`}: ${plain(text, longest)}`,
    ),
  ].flat();
  return lines.length === 0 ? [] : ['', ...lines];
}
