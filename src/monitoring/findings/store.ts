import { counted, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import type { AgentSeen } from '../evidence.ts';
import { call, type FindingRule, here, rulesOf } from './rule.ts';

/** A running execution writes more often than this, in seconds. */
const oldSeconds = 60;

/** A remote agent's clock that differs by no more counts as equal. Seconds. */
const toleratedOffset = 2;

/** `a, b and c`. */
const listed = (parts: readonly string[]) =>
  [parts.slice(0, -1).join(', '), ...parts.slice(-1)].filter((part) => part !== '').join(' and ');

/** Each host once, with the agent that shows it. */
function clocksOf(off: readonly AgentSeen[]): string {
  const hosts = new Map(off.map((agent) => [agent.hostname, agent]));
  return [...hosts.values()]
    .map(
      ({ hostname, agent_name, clock_offset }, at) =>
        `${at === 0 ? 'The clock' : 'that'} of ${hostname}, where ${agent_name} runs, is ${roundDuration(Math.abs(clock_offset ?? 0))} ${(clock_offset ?? 0) > 0 ? 'ahead of' : 'behind'}`,
    )
    .join(', and ');
}

/** By how many seconds rows are later than the clock here. */
export const aheadWords = (seconds: number) =>
  `${roundDuration(seconds)} ahead of this machine's clock: one of the two clocks is off, or was set back`;

export const storeRules: readonly FindingRule[] = rulesOf('driving', {
  DATA_OLD: ({ status, now, data_as_of }) => {
    const age = data_as_of === undefined ? 0 : (now - Date.parse(data_as_of)) / 1000;
    if (status !== 'running' || age < oldSeconds) return undefined;
    return {
      severity: 'warning',
      sentence: `Nothing has been written to the store for ${roundDuration(age)} although the execution should be running.`,
      next: here('list_agents'),
    };
  },

  /**
   * Rows are later than the clock here, so that no age is known, or the clock of a host that works on the
   * execution is off.
   */
  CLOCK_OFF: ({ ahead_seconds, agents }) => {
    if (ahead_seconds > 0)
      return {
        severity: 'warning',
        sentence: `Its newest row is ${aheadWords(ahead_seconds)}. Durations up to now are unknown; the recorded order is still correct.`,
        next: here('list_agents'),
      };
    const off = agents.filter(({ clock_offset }) => Math.abs(clock_offset ?? 0) > toleratedOffset);
    if (off.length === 0) return undefined;
    return {
      severity: 'warning',
      sentence: `${clocksOf(off)} the recorder's. Delays use only the recorder's clock; log lines carry the time of their host.`,
      ids: off.map(({ agent_name }) => agent_name),
      next: here('list_agents'),
    };
  },

  MESSAGES_REFUSED: ({ execution_id, refused }) => {
    if (refused.count === 0) return undefined;
    return {
      severity: 'warning',
      sentence: `${were(refused.count, 'message')} unreadable or contradicted earlier ones, and changed nothing; list_messages(execution_id="${execution_id}", effect="rejected" or "conflict") has them all.`,
      ids: refused.ids,
      next: call('list_messages', { message_id: refused.ids[0] ?? '' }),
    };
  },

  MESSAGES_WAITING: ({ waiting, status }) => {
    // Nothing more arrives for an ended execution.
    if (waiting.count === 0 || status !== 'running') return undefined;
    return {
      severity: 'warning',
      sentence: `${counted(waiting.count, 'message')} ${waiting.count === 1 ? 'is' : 'are'} waiting for an earlier message that has not arrived.`,
      ids: waiting.ids,
      next: call('list_messages', { message_id: waiting.ids[0] ?? '' }),
    };
  },

  UNREADABLE: ({ unreadable: parts }) => {
    if (parts.length === 0) return undefined;
    return {
      severity: 'error',
      sentence: `The store is damaged: ${listed(parts)} cannot be read and are left out; "swf-mcp check" has details.`,
      ids: parts,
      next: here('audit_execution'),
    };
  },
});
