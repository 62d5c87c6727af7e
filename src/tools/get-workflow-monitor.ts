import type { FullAssessment } from '../db/reports/assessment.ts';
import { present } from '../lib/present.ts';
import { type Monitor, monitorAnswer } from './answers/monitor.ts';
import { countsOf } from './monitor/counts.ts';
import { asEvent } from './monitor/events.ts';
import * as part from './monitor/parts.ts';
import { peopleOf, shownNotes } from './monitor/people.ts';
import { harmless } from './shared/harmless.ts';
import { requiredExecution } from './shared/params.ts';
import { sitesPart } from './shared/sites.ts';
import { defineTool, type ToolContext } from './shared/tool.ts';

export const getWorkflowMonitorTool = defineTool({
  name: 'get_workflow_monitor',
  title: 'Monitor an execution',
  hasPage: true,
  description:
    'How far along is it? What is stuck, failing or overloaded? Read findings first: each recommends a next call.',
  takesMoment: true,
  input: () => ({ execution_id: requiredExecution }),
  output: monitorAnswer,
  handle: ({ execution_id }, context) => withinBudget(monitorOf(execution_id, context)),
});

/**
 * Everything about an execution, of any size. Throws `EXECUTION_NOT_FOUND`.
 * @param notes how many of its notes at most, the last ones
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

/** Prompt processing has sites instead. */
const uncountedPart = ({ heard, why_uncounted: why }: FullAssessment) =>
  why === undefined || heard?.prompt !== undefined ? [] : [why];

/** Largest size of the whole answer. */
const maxBytes = 8192;

const lists = ['events', 'errors', 'agents', 'drivers', 'notes'] as const;

/** The parts that can lose rows, and how many drivers are left out already. */
type Parts = Partial<Record<(typeof lists)[number] | 'findings', unknown[] | undefined>> & {
  drivers_omitted?: number | undefined;
  note?: string | undefined;
};

const sizeOf = (answer: object) => Buffer.byteLength(harmless(answer).text);

/**
 * Shortens an answer that long texts make too large: the longest list loses rows first, its oldest and least
 * important ones. `note` says how many each lost.
 */
export function withinBudget<T extends Parts>(answer: T): T & { note?: string | undefined } {
  const lost = new Map<string, number>();
  const shown = () => (lost.size === 0 ? answer : { ...answer, note: noteOf(lost, answer.note) });
  while (sizeOf(shown()) > maxBytes) {
    const longest = lists.reduce((a, b) => ((answer[b]?.length ?? 0) > (answer[a]?.length ?? 0) ? b : a));
    // Findings are the most useful, so they are dropped last, the least important first.
    const name = (answer[longest] ?? []).length === 0 ? 'findings' : longest;
    // Drivers are in chronological order, all others newest first.
    if ((name === 'drivers' ? answer.drivers?.shift() : answer[name]?.pop()) === undefined) break;
    if (name === 'drivers') answer.drivers_omitted = (answer.drivers_omitted ?? 0) + 1;
    lost.set(name, (lost.get(name) ?? 0) + 1);
  }
  return shown();
}

const noteOf = (lost: ReadonlyMap<string, number>, note: string | undefined) =>
  `${note === undefined ? '' : `${note}; `}cut to ${maxBytes} bytes: left out ${[...lost].map(([name, count]) => `${count} of ${name}`).join(', ')}`;
