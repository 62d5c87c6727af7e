import { lateSeconds } from '../domain/liveness.ts';
import type { AgentType } from '../domain/states.ts';
import type { AgentHeartbeat, OffDuty } from '../messages/telemetry.ts';
import { isRefused } from '../messages/wire-version.ts';

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
  /** Since when it has had a free slot, without a break; undefined if all are busy. */
  freeSince: number | undefined;
}

/** The agents of a namespace that a process hears, including those that a recorder hosts: what each has in hand and could do. */
export class AgentDirectory {
  /** By process: if two use one agent name, one has to go, and the other's work in hand stays known. */
  readonly #heard = new Map<string, Heard>();
  /** By message id: the agent that last had the message in hand. */
  readonly #holders = new Map<string, string>();

  hear(agent: string, since: string, report: Report): void {
    const now = performance.now();
    const key = keyOf(agent, since);
    const known = this.#heard.get(key);
    const isPresent = known !== undefined && now - known.at < heardMilliseconds;
    const freeSince = report.free_slots === 0 ? undefined : isPresent ? (known.freeSince ?? now) : now;
    this.#heard.set(key, { agent, report, since, at: now, freeSince });
    for (const id of report.in_hand) this.#noteHolder(id, agent);
    for (const [process, { at }] of this.#heard) if (now - at > forgottenMilliseconds) this.#heard.delete(process);
  }

  /** Enters an agent's report. Forgets an agent that has ended or is refused. */
  note(beat: AgentHeartbeat): void {
    const { agent_name, since, state } = beat;
    if (state === 'EXITED' || isRefused(beat)) this.forget(agent_name, since);
    else this.hear(agent_name, since, beat);
  }

  forget(agent: string, since: string): void {
    this.#heard.delete(keyOf(agent, since));
  }

  /** The agent that has a message in hand, or had it last; undefined if none has named it lately. */
  holderOf(messageId: string): string | undefined {
    return this.#holders.get(messageId);
  }

  /** When the agent's last heard process began, as it says; undefined if no process is heard. */
  sinceOf(agent: string): string | undefined {
    const processes = [...this.#heard.values()].filter((heard) => heard.agent === agent);
    return processes.toSorted((a, b) => b.at - a.at)[0]?.since;
  }

  /** Whether an agent is heard. */
  isPresent(agent: string): boolean {
    return this.#present().some((heard) => heard.agent === agent);
  }

  /** The ids of all messages that somebody has in hand. */
  inHand(): Set<string> {
    return new Set(this.#present().flatMap(({ report }) => report.in_hand));
  }

  /** Whether a heard agent of this type is on duty for these kinds of work. */
  hasOnDuty(type: AgentType, kinds: readonly OffDuty[] = []): boolean {
    return this.#onDuty(type, kinds).length > 0;
  }

  /** Whether such an agent has had a free slot for at least `milliseconds`. */
  hasFree(type: AgentType, kinds: readonly OffDuty[], milliseconds: number): boolean {
    const before = performance.now() - milliseconds;
    return this.#onDuty(type, kinds).some(({ freeSince }) => freeSince !== undefined && freeSince <= before);
  }

  #onDuty(type: AgentType, kinds: readonly OffDuty[]): Heard[] {
    const cannot = ({ off_duty }: Report): boolean =>
      off_duty.some(({ reason, name }) => kinds.some((kind) => kind.reason === reason && kind.name === name));
    return this.#present().filter(({ report }) => report.agent_type === type && !cannot(report));
  }

  #noteHolder(messageId: string, agent: string): void {
    this.#holders.delete(messageId);
    this.#holders.set(messageId, agent);
    const [oldest] = this.#holders.keys();
    if (this.#holders.size > maxHolders && oldest !== undefined) this.#holders.delete(oldest);
  }

  #present(): Heard[] {
    const before = performance.now() - heardMilliseconds;
    return [...this.#heard.values()].filter(({ at }) => at >= before);
  }
}

const keyOf = (agent: string, since: string): string => `${agent} ${since}`;
