import { lateSeconds } from '../domain/liveness.ts';
import type { AgentType } from '../domain/states.ts';
import { setNewest } from '../lib/once-for.ts';
import { type AgentHeartbeat, type OffDuty, isRefused } from '../messages/telemetry.ts';

/** How long a heartbeat counts, in milliseconds. */
const heardMilliseconds = lateSeconds * 1000;

/** How long to remember a silent agent, in milliseconds. */
const forgottenMilliseconds = 3_600_000;

/** The most messages whose last holder is remembered. */
const maxHolders = 20_000;

export type Report = Pick<AgentHeartbeat, 'agent_type' | 'in_hand' | 'free_slots' | 'off_duty'>;

interface Heard {
  agent: string;
  report: Report;
  since: string;
  at: number;
  /** Since when it has had a free slot and could do no more kinds of work; undefined if all are busy. */
  freeSince: number | undefined;
}

const isOffDuty = ({ off_duty }: Report, kinds: readonly OffDuty[]) =>
  off_duty.some(({ reason, name }) => kinds.some((kind) => kind.reason === reason && kind.name === name));

export type AgentDirectory = ReturnType<typeof createAgentDirectory>;

/**
 * The agents of a namespace whose heartbeats a process receives, including those that a recorder hosts: what
 * each has in hand and could do.
 */
export function createAgentDirectory() {
  /** By process: if two use one agent name, one must end, and the other's work in hand remains known. */
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
    /** Enters an agent's report. Forgets an agent that has ended or is refused. */
    note(beat: AgentHeartbeat) {
      const { agent_name, since, state } = beat;
      if (state === 'EXITED' || isRefused(beat)) forget(agent_name, since);
      else hear(agent_name, since, beat);
    },
    /** The agent that has a message in hand, or had it last; undefined if none has named it recently. */
    holderOf: (messageId: string) => holders.get(messageId),
    /** When the agent's last heard process began, as it reports; undefined if no process is heard. */
    sinceOf(agent: string) {
      const ofAgent = [...processes.values()].filter((heard) => heard.agent === agent);
      return ofAgent.toSorted((a, b) => b.at - a.at)[0]?.since;
    },
    /** Whether an agent is heard. */
    isPresent: (agent: string) => present().some((heard) => heard.agent === agent),
    /** The ids of all messages that an agent is processing. */
    inHand: () => new Set(present().flatMap(({ report }) => report.in_hand)),
    /** Whether a heard agent of this type is on duty for these kinds of work. */
    hasOnDuty: (type: AgentType, kinds: readonly OffDuty[] = []) => onDuty(type, kinds).length > 0,
    /** Whether such an agent has had a free slot for at least `milliseconds`. */
    hasFree(type: AgentType, kinds: readonly OffDuty[], milliseconds: number) {
      const before = performance.now() - milliseconds;
      return onDuty(type, kinds).some(({ freeSince }) => freeSince !== undefined && freeSince <= before);
    },
  };
}
