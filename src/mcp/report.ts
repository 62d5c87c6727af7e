import type { Queries } from '../db/queries.ts';
import { tried } from '../lib/tried.ts';

/** A report of each execution, as Markdown: the same store gives the same text. */
export const reportTemplate = {
  uriTemplate: 'swf://executions/{execution_id}/report',
  name: 'execution_report',
  title: 'Report of an execution',
  description:
    'Report on one execution: state, counts, delays, findings and whether its data is complete; execution_id may be "latest"',
  mimeType: 'text/markdown',
} as const;

/** A report on everything that has run since a given time. */
export const shiftTemplate = {
  uriTemplate: 'swf://shift/{since}',
  name: 'shift_report',
  title: 'Shift report',
  description: 'What ran since a time such as -8h: done, failed, open, and who did what',
  mimeType: 'text/markdown',
} as const;

/** The start time that a resource's address names; undefined for any other address. */
export const sinceOfUri = (uri: string) => decoded(/^swf:\/\/shift\/([^/]+)$/.exec(uri)?.[1]);

/** Maximum number of executions whose reports are offered to clients. */
const maxOffered = 10;

/** The reports of the newest executions, and a report of the last eight hours. */
export function offeredReports(queries: Queries) {
  const { rows } = queries.executions({}, { order: 'newest', limit: maxOffered, uncounted: true });
  return [
    ...rows.map(({ execution_id, status, start_time }) => ({
      uri: `swf://executions/${encodeURIComponent(execution_id)}/report`,
      name: `Report of ${execution_id}`,
      description: `${status}, started ${start_time}`,
      mimeType: reportTemplate.mimeType,
    })),
    {
      uri: 'swf://shift/-8h',
      name: 'Report of the last eight hours',
      description: shiftTemplate.description,
      mimeType: reportTemplate.mimeType,
    },
  ];
}

/** The execution that a resource's address names; undefined for any other address. */
export const executionOfUri = (uri: string) => decoded(/^swf:\/\/executions\/([^/]+)\/report$/.exec(uri)?.[1]);

const decoded = (part: string | undefined) => tried(() => part && decodeURIComponent(part));
