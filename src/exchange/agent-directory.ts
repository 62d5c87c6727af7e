import { lateSeconds } from '../domain/liveness.ts';
import type { AgentType } from '../domain/states.ts';
import { setNewest } from '../lib/once-for.ts';
import { type AgentHeartbeat, type OffDuty, isRefused } from '../messages/telemetry.ts';

/** How long a heartbeat is valid, in milliseconds. */
const heardMilliseconds = lateSeconds * 1000;

/** How long to remember a silent agent, in milliseconds. */
const forgottenMilliseconds = 3_600_000;

/** For how many messages to remember the last holder. */
const maxHolders = 20_000;

export type Report = Pick<AgentHeartbeat, 'agent_type' | 'in_hand' | 'free_slots' | 'off_duty'>;

interface Heard {
  agent: string;
  report: Report;
  since: string;
  at: number;
  /**
   * The time since which the agent has had a free slot and gained no new kinds of work; undefined if all slots
   * are busy.
   */
  freeSince: number | undefined;
}

const isOffDuty = ({ off_duty }: Report, kinds: readonly OffDuty[]) =>
  off_duty.some(({ reason, name }) => kinds.some((kind) => kind.reason === reason && kind.name === name));

export type AgentDirectory = ReturnType<typeof createAgentDirectory>;

/**
 * The agents of a namespace whose heartbeats a process receives, including those that a recorder hosts:
 * what each has in hand and can do.
 */
export function createAgentDirectory() {
  /**
   * By process, not by name: if two processes use the same agent name, one must end, and the other's work
   * in hand remains known.
   */
  const processes = new Map<string, Heard>();
  /** By message id: the agent that last had the message in hand. */
  const holders = new Map<string, string>();
  const present = () => {
    const before = performance.now() - heardMilliseconds;
    return [...processes.values()].filter(({ at }) => at >= before);
  };
  const onDuty = (type: AgentType, kinds: readonly OffDuty[]) => {
    return present().filter(({ report }) => report.agent_type === type && !isOffDuty(report, kinds));
  };
  const forget = (agent: string, since: string) => void processes.delete(`${agent} ${since}`);
  function hear(agent: string, since: string, report: Report) {
    const now = performance.now();
    const key = `${agent} ${since}`;
    const known = processes.get(key);
    const isPresent = known !== undefined && now - known.at < heardMilliseconds;
    const isSame = isPresent && known.report.off_duty.every((kind) => isOffDuty(report, [kind]));
    const freeSince = report.free_slots === 0 ? undefined : isSame ? (known.freeSince ?? now) : now;
    processes.set(key, { agent, report, since, at: now, freeSince });
    for (const id of report.in_hand) setNewest(holders, id, agent, maxHolders);
    for (const [process, { at }] of processes) if (now - at > forgottenMilliseconds) processes.delete(process);
  }
  return {
    hear,
    forget,
    /** Records an agent's report. Forgets an agent that has ended or is refused. */
    note(beat: AgentHeartbeat) {
      const { agent_name, since, state } = beat;
      if (state === 'EXITED' || isRefused(beat)) forget(agent_name, since);
      else hear(agent_name, since, beat);
    },
    /**
     * The agent that has a message in hand, or was the last to have it; undefined if no agent has named the
     * message recently.
     */
    holderOf: (messageId: string) => holders.get(messageId),
    /** The start time of the process that sent the agent's last heartbeat; undefined if no heartbeat arrived. */
    sinceOf(agent: string) {
      const ofAgent = [...processes.values()].filter((heard) => heard.agent === agent);
      return ofAgent.toSorted((a, b) => b.at - a.at)[0]?.since;
    },
    /** Whether an agent's heartbeats are being received. */
    isPresent: (agent: string) => present().some((heard) => heard.agent === agent),
    /** The ids of all messages that an agent is processing. */
    inHand: () => new Set(present().flatMap(({ report }) => report.in_hand)),
    /** Whether an agent of this type is present and on duty for these kinds of work. */
    hasOnDuty: (type: AgentType, kinds: readonly OffDuty[] = []) => onDuty(type, kinds).length > 0,
    /** Like `hasOnDuty`, but for agents that have had a free slot for at least `milliseconds`. */
    hasFree(type: AgentType, kinds: readonly OffDuty[], milliseconds: number) {
      const before = performance.now() - milliseconds;
      return onDuty(type, kinds).some(({ freeSince }) => freeSince !== undefined && freeSince <= before);
    },
  };
}
