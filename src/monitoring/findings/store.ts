import { are, were } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import type { AgentSeen } from '../evidence.ts';
import { call, type FindingRule, here, rulesOf, error, warning } from './rule.ts';

/** A running execution writes at least once in this many seconds. */
const oldSeconds = 60;

/** A remote agent's clock may be off by this many seconds without being reported. */
const toleratedOffset = 2;

/** Lists the parts as `a, b and c`. */
const listed = (parts: readonly string[]) =>
  [parts.slice(0, -1).join(', '), ...parts.slice(-1)].filter((part) => part !== '').join(' and ');

/** Names each host once, with an agent whose heartbeats show the host's clock. */
function clocksOf(off: readonly AgentSeen[]) {
  const hosts = new Map(off.map((agent) => [agent.hostname, agent]));
  return [...hosts.values()]
    .map(
      ({ hostname, agent_name, clock_offset }, at) =>
        `${at === 0 ? 'The clock' : 'that'} of ${hostname}, where ${agent_name} runs, is ${roundDuration(Math.abs(clock_offset ?? 0))} ${(clock_offset ?? 0) > 0 ? 'fast' : 'slow'}`,
    )
    .join(', and ');
}

/** Says how far rows are ahead of this host's clock. */
export const aheadWords = (seconds: number) =>
  `${roundDuration(seconds)} ahead of this machine's clock: this clock, or that of the host that wrote the row, is off or was set back`;

const recordRules = rulesOf('driving', {
  DATA_OLD: ({ status, now, data_as_of }) => {
    const age = data_as_of === undefined ? 0 : (now - Date.parse(data_as_of)) / 1000;
    if (status !== 'running' || age < oldSeconds) return undefined;
    return warning(
      `Nothing has been written to the store for ${roundDuration(age)} although the execution should be running.`,
      here('list_agents'),
    );
  },

  MESSAGES_REFUSED: ({ execution_id, refused }) => {
    if (refused.count === 0) return undefined;
    return warning(
      `${were(refused.count, 'message')} unreadable or inconsistent with earlier ones, and changed nothing; list_messages(execution_id="${execution_id}", effect="rejected" or "conflict") lists them all.`,
      call('list_messages', { message_id: refused.ids[0] ?? '' }),
      refused.ids,
    );
  },

  MESSAGES_WAITING: ({ waiting, status }) => {
    // Nothing more arrives for an ended execution.
    if (waiting.count === 0 || status !== 'running') return undefined;
    return warning(
      `${are(waiting.count, 'message')} waiting for an earlier message that has not arrived.`,
      call('list_messages', { message_id: waiting.ids[0] ?? '' }),
      waiting.ids,
    );
  },

  UNREADABLE: ({ unreadable: parts }) => {
    if (parts.length === 0) return undefined;
    return error(
      `The store is damaged: ${listed(parts)} cannot be read and are left out; "swf-mcp check" has details.`,
      here('audit_execution'),
      parts,
    );
  },
});

/**
 * Rows are ahead of this host's clock, so ages are unknown; or the clock of another host that works on the
 * execution is off.
 */
const findClockOff: FindingRule['find'] = ({ slices: { ahead_seconds }, driving }) => {
  if (ahead_seconds > 0)
    return warning(
      `The newest row of the execution is ${aheadWords(ahead_seconds)}. The time elapsed since any event is unknown; the recorded order is still correct.`,
      here('list_agents'),
    );
  const off = driving?.agents.filter(({ clock_offset }) => Math.abs(clock_offset ?? 0) > toleratedOffset) ?? [];
  if (off.length === 0) return undefined;
  return warning(
    `${clocksOf(off)} compared with the recorder's. Delays use only the recorder's clock; log lines carry the time of their host.`,
    here('list_agents'),
    off.map(({ agent_name }) => agent_name),
  );
};

export const storeRules: readonly FindingRule[] = [
  ...recordRules,
  { code: 'CLOCK_OFF', needs: 'slices', find: findClockOff },
];
