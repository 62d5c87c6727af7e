import type { FullAssessment } from '../db/reports/assessment.ts';
import { present } from '../lib/present.ts';
import { type Monitor, monitorAnswer } from './answers/monitor.ts';
import { countsOf } from './monitor/counts.ts';
import { asEvent } from './monitor/events.ts';
import * as part from './monitor/parts.ts';
import { peopleOf, shownNotes } from './monitor/people.ts';
import { harmless } from './shared/harmless.ts';
import { sitesPart } from './shared/sites.ts';
import { defineTool, requiredExecution, type ToolContext } from './shared/tool.ts';

export const getWorkflowMonitorTool = defineTool({
  name: 'get_workflow_monitor',
  title: 'Monitor an execution',
  hasPage: true,
  description:
    'How far along is a run? What is stuck, failing or overloaded? Read findings first: each recommends a call.',
  takesMoment: true,
  input: () => ({ execution_id: requiredExecution }),
  output: monitorAnswer,
  handle: ({ execution_id }, context) => monitorOf(execution_id, context),
  shorten: withinBudget,
});

/**
 * Everything about an execution, without a size limit. Throws `EXECUTION_NOT_FOUND`.
 * @param notes the maximum number of notes; the last ones are included
 */
export function monitorOf(executionId: string, { queries, now }: ToolContext, notes = shownNotes): Monitor {
  const execution = queries.execution(executionId);
  const { execution_id, status, phase, start_time, end_time } = execution;
  const data_as_of = queries.dataAsOf();
  const assessed = queries.assessWithFindings(execution, now, data_as_of);
  const { detail, health, evidence } = assessed;
  const unreadable = evidence?.unreadable ?? [];
  const settings = queries.configuration(execution);
  const people = peopleOf(execution_id, queries, notes);
  const isRunning = status === 'running';
  const isDriven = isRunning && queries.driver(execution_id)?.isAlive() !== false;
  return present({
    execution_id,
    ...part.namesOf(execution, assessed.heard),
    status,
    status_reason: part.statusReason(execution),
    phase,
    health,
    ...part.commandsOf(evidence, queries.stoppedBy(execution)),
    ...part.driversOf(evidence),
    start_time,
    end_time,
    ...part.livesOf(assessed),
    data_as_of,
    last_message_id: queries.lastMessage(execution_id)?.message_id,
    message_count: queries.messageCount(execution_id),
    ...countsOf(execution, assessed),
    causes: part.causesOf(assessed.causes),
    oldest_in_hand: part.oldestOf(assessed),
    configuration: settings === undefined ? null : present({ ...settings }),
    dataset: part.datasetOf(detail, execution),
    ...sitesPart(execution, { queries }),
    ...part.flowOf(assessed, isDriven),
    findings: part.findingsOf(assessed.findings),
    agents: unreadable.includes('agents') ? [] : part.agentsOf(execution_id, queries),
    events: queries.lastLandmarks(execution_id, part.lastEvents).map(asEvent),
    errors: unreadable.includes('logs')
      ? []
      : part.lastErrors(execution_id, queries, assessed.causes.slice(0, part.shownCauses)),
    ...people,
    note: [...uncountedPart(assessed), ...people.note].join('; ') || undefined,
  });
}

/** For prompt processing, sites are reported instead of slices. */
const uncountedPart = ({ heard, why_uncounted: why }: FullAssessment) =>
  why === undefined || heard?.prompt !== undefined ? [] : [why];

/** Maximum size of the whole answer, in bytes. */
const maxBytes = 8192;

const lists = ['events', 'errors', 'agents', 'drivers', 'notes'] as const;

/** The parts of an answer that rows can be removed from, and how many drivers have already been left out. */
type Parts = Partial<Record<(typeof lists)[number] | 'findings', unknown[] | undefined>> & {
  drivers_omitted?: number | undefined;
  note?: string | undefined;
};

/**
 * Shortens an answer that is too large because of long texts: removes rows from the longest list first,
 * beginning with the oldest or least important row. `note` says how many rows were removed from each list.
 */
export function withinBudget<T extends Parts>(answer: T): T & { note?: string | undefined } {
  const lost = new Map<string, number>();
  const shown = () => (lost.size === 0 ? answer : { ...answer, note: noteOf(lost, answer.note) });
  while (Buffer.byteLength(harmless(shown()).text) > maxBytes) {
    const longest = lists.reduce((a, b) => ((answer[b]?.length ?? 0) > (answer[a]?.length ?? 0) ? b : a));
    // Findings are the most useful rows, so they are removed last, beginning with the least important one.
    const name = (answer[longest] ?? []).length === 0 ? 'findings' : longest;
    // Drivers are in chronological order; in other lists, the oldest or least important row is last.
    if ((name === 'drivers' ? answer.drivers?.shift() : answer[name]?.pop()) === undefined) break;
    if (name === 'drivers') answer.drivers_omitted = (answer.drivers_omitted ?? 0) + 1;
    lost.set(name, (lost.get(name) ?? 0) + 1);
  }
  return shown();
}

const noteOf = (lost: ReadonlyMap<string, number>, note: string | undefined) =>
  `${note === undefined ? '' : `${note}; `}cut to ${maxBytes} bytes: left out ${[...lost].map(([name, count]) => `${count} from ${name}`).join(', ')}`;
