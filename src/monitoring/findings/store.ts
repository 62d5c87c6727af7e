import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import type { AgentSeen } from '../evidence.ts';
import { call, defineFinding } from './rule.ts';

/** A running execution writes more often than this, in seconds. */
const oldSeconds = 60;

export const dataOld = defineFinding('DATA_OLD', 'driving', ({ facts: { status, now }, evidence }) => {
  const { data_as_of, execution_id } = evidence;
  const age = data_as_of === undefined ? 0 : (now - Date.parse(data_as_of)) / 1000;
  if (status !== 'running' || age < oldSeconds) return undefined;
  return {
    severity: 'warning',
    sentence: `Nothing has been written into the store for ${roundDuration(age)} although the execution should be running.`,
    next: call('list_agents', { execution_id }),
  };
});

export const nothingWritten = defineFinding(
  'NOTHING_WRITTEN',
  'driving',
  ({ evidence: { execution_id, standstills } }) => {
    const [first, ...others] = standstills;
    if (first === undefined) return undefined;
    const { from, until, hostname } = first;
    const seconds = Math.round((Date.parse(until) - Date.parse(from)) / 1000);
    const more =
      others.length === 0 ? '' : ` This happened ${others.length} more ${others.length === 1 ? 'time' : 'times'}.`;
    return {
      severity: 'warning',
      sentence: `Nothing was written from ${from} to ${until} (${roundDuration(seconds)}), though a process on ${hostname} drove the execution: it stood still, or the store could not be written. Slices in hand then look busy, and were not worked on by workers of that process.${more}`,
      ids: [hostname],
      next: call('list_logs', { execution_id, start_time: from, order: 'oldest' }),
    };
  },
);

export const clockStepped = defineFinding('CLOCK_STEPPED', 'driving', ({ evidence: { execution_id, clock_steps } }) => {
  const [first, ...others] = clock_steps;
  if (first === undefined) return undefined;
  const { at, seconds, hostname } = first;
  const what =
    seconds < 0
      ? `was set back by ${-seconds} s at ${at}. Times of this execution do not go back: they are ahead of that clock from then on`
      : `went forward by ${seconds} s at ${at}: it was set, or the machine slept. Times after that are so much later; its duration is told without the step`;
  const more =
    others.length === 0 ? '' : ` It stepped ${others.length} more ${others.length === 1 ? 'time' : 'times'}.`;
  return {
    severity: 'warning',
    sentence: `The clock of ${hostname} ${what}.${more}`,
    ids: [hostname],
    next: call('list_logs', { execution_id, search: 'the clock of this machine', order: 'oldest' }),
  };
});

/** Clocks that differ by no more than this count as equal. Seconds. */
export const toleratedSeconds = 2;

/**
 * The store has a row from the future, or the execution begins before rows recorded earlier: a clock was set back, or the clock of a host that
 * writes here is off.
 */
export const clockOff = defineFinding('CLOCK_OFF', 'driving', ({ facts: { now }, evidence }) => {
  const { data_as_of, execution_id, clock_behind, agents } = evidence;
  const off = agents.filter(({ clock_offset }) => Math.abs(clock_offset ?? 0) > toleratedSeconds);
  if (off.length > 0)
    return {
      severity: 'warning',
      sentence: `${clocksOf(off)} the recorder's. Delays are measured by the recorder's clock alone; log lines have their own.`,
      ids: off.map(({ agent_name }) => agent_name),
      next: call('list_agents', { execution_id }),
    };
  const ahead = data_as_of === undefined ? 0 : (Date.parse(data_as_of) - now) / 1000;
  const what =
    clock_behind > 0
      ? `Its times are about ${roundDuration(clock_behind)} behind those of rows that were recorded before it`
      : `The newest row of the store is of ${data_as_of}, ${roundDuration(ahead)} later than the clock here`;
  if (clock_behind === 0 && ahead <= toleratedSeconds) return undefined;
  return {
    severity: 'warning',
    sentence: `${what}: a clock was set back, or is off. Time windows may miss it; the order of recording is right.`,
    next: call('list_agents', { execution_id }),
  };
});

/** Each host once, with the agent that shows it. */
function clocksOf(off: readonly AgentSeen[]): string {
  const hosts = new Map(off.map((agent) => [agent.hostname, agent]));
  return [...hosts.values()]
    .map(
      ({ hostname, agent_name, clock_offset }, at) =>
        `${at === 0 ? 'The clock' : 'that'} of ${hostname}, where ${agent_name} works, is ${roundDuration(Math.abs(clock_offset ?? 0))} ${(clock_offset ?? 0) > 0 ? 'ahead of' : 'behind'}`,
    )
    .join(', and ');
}

export const messagesRefused = defineFinding(
  'MESSAGES_REFUSED',
  'driving',
  ({ evidence: { execution_id, refused } }) => {
    if (refused.count === 0) return undefined;
    return {
      severity: 'warning',
      sentence: `${counted(refused.count, 'message')} could not be read or contradict earlier ones, and changed nothing; list_messages(execution_id="${execution_id}", effect="rejected" or "conflict") has them all.`,
      ids: [...refused.ids],
      next: call('list_messages', { message_id: refused.ids[0] ?? '' }),
    };
  },
);

export const messagesWaiting = defineFinding('MESSAGES_WAITING', 'driving', ({ facts, evidence: { waiting } }) => {
  // Nothing more comes for an ended execution.
  if (waiting.count === 0 || facts.status !== 'running') return undefined;
  return {
    severity: 'warning',
    sentence: `${counted(waiting.count, 'message')} ${waiting.count === 1 ? 'waits' : 'wait'} for something that has not come.`,
    ids: [...waiting.ids],
    next: call('list_messages', { message_id: waiting.ids[0] ?? '' }),
  };
});

export const unreadable = defineFinding(
  'UNREADABLE',
  'driving',
  ({ evidence: { execution_id, unreadable: parts } }) => {
    if (parts.length === 0) return undefined;
    return {
      severity: 'error',
      sentence: `The store is damaged: ${parts.join(', ')} cannot be read and are left out; "swf-mcp check" says more.`,
      ids: [...parts],
      next: call('audit_execution', { execution_id }),
    };
  },
);
