import type { BrokerConnection } from '../broker/connection.ts';
import { noteBrokerAway } from '../db/presence/recorders.ts';
import { forgiveSilence } from '../db/presence/remote-agents.ts';
import { beatSeconds, lateSeconds } from '../domain/liveness.ts';
import { utcNow } from '../lib/time.ts';
import type { Surroundings } from './surroundings.ts';

/** A recorder hears its own reports, one each beat: without two of them the line is cut, long before the connection breaks. Milliseconds. */
const quietMilliseconds = 2 * beatSeconds * 1000;

const lookMilliseconds = 1000;

export interface BrokerLinkOptions extends Pick<Surroundings, 'store' | 'namespace' | 'onFault'> {
  broker: Pick<BrokerConnection, 'isUp' | 'onUp'>;
  /** Whether this process sends reports, which come back to it. */
  isSpeaking: () => boolean;
}

/** Whether a recorder hears its broker. While it does not, its store says so, and agents that it cannot hear do not count as gone. */
export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  readonly #timer: NodeJS.Timeout;
  #heardAt = performance.now();
  #lookedAt = performance.now();
  /** Since when the link can be heard, as `performance.now()`. */
  #hearsSince = performance.now();
  #awaySince: string | undefined;
  /** The earliest last sign of an agent that may have lived when the link was lost. */
  #cutOffSince: string | undefined;

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), lookMilliseconds);
    options.broker.onUp(() => {
      // What was sent meanwhile comes first: results of slices that would look overdue, and then our own next report.
      if (options.isSpeaking()) this.#heardAt = performance.now();
      else this.noteHeard();
    });
  }

  /** Call with each message from the broker that says nothing about agents. */
  noteSign(): void {
    if (this.#awaySince === undefined) this.#heardAt = performance.now();
  }

  /** Call with each report of an agent or a recorder, our own too. */
  noteHeard(): void {
    this.#heardAt = performance.now();
    if (this.#awaySince === undefined || !this.#options.broker.isUp()) return;
    this.#hearsSince = this.#heardAt;
    const since = this.#cutOffSince;
    this.#cutOffSince = undefined;
    this.#noteAway(undefined, since);
  }

  /** Call when the connection has broken. */
  noteBreak(): void {
    this.#lose(utcNow());
  }

  /** How long remote agents have been heard, in milliseconds; 0 while they are not. */
  hearingMilliseconds(): number {
    return this.#options.broker.isUp() && this.#awaySince === undefined ? performance.now() - this.#hearsSince : 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { broker, isSpeaking } = this.#options;
    const now = performance.now();
    // While this process stood still it sent nothing that could come back.
    this.#heardAt = Math.min(now, this.#heardAt + Math.max(0, now - this.#lookedAt - lookMilliseconds));
    this.#lookedAt = now;
    const quiet = now - this.#heardAt;
    if (!isSpeaking()) this.#heardAt = now;
    else if (broker.isUp() && quiet >= quietMilliseconds)
      this.#lose(new Date(Date.parse(utcNow()) - quiet).toISOString());
  }

  /** @param since ISO 8601 */
  #lose(since: string): void {
    if (this.#awaySince !== undefined) return;
    this.#cutOffSince = new Date(Date.parse(since) - lateSeconds * 1000).toISOString();
    this.#noteAway(since);
  }

  /** Notes for readers of the store since when nobody is heard, and resets the silence of agents when they can be heard again. */
  #noteAway(since: string | undefined, forgiven?: string): void {
    const { store, namespace, onFault } = this.#options;
    this.#awaySince = since;
    store
      .write((tx) => {
        noteBrokerAway(tx, namespace, since);
        if (forgiven !== undefined) forgiveSilence(tx, forgiven);
      })
      .catch(onFault);
  }
}
