import { roundDuration } from '../../lib/duration.ts';
import type { AgentSeen } from '../evidence.ts';
import { call, defineFinding } from './rule.ts';

/** Clocks that differ by no more than this count as equal. Seconds. */
export const toleratedSeconds = 2;

/**
 * The store has a row from the future, or the execution begins before rows recorded earlier: a clock was set back, or the clock of a host that
 * writes here is off.
 */
export const clockOff = defineFinding('CLOCK_OFF', ({ facts: { now }, evidence }) => {
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
