import type { GapLine } from './recording-lines.ts';

/** A tick this late means that the process stood still. Milliseconds. */
const stoodStill = 3000;

/** Messages that come this much later than the quickest ones of their connection wait somewhere: the time heard is then that of the newest one, not now. Milliseconds. */
export const lagLimit = 5000;

/** No clock of a broker is off by more: such a stamp says nothing. Milliseconds. */
const plausibleOffset = 3_600_000;

/**
 * Tracks up to when messages were heard, and since when none could be. The loss of a connection that fell silent is noticed late: a broker may be silent
 * for a while, and a stopped process notices nothing. So such a gap begins at the last moment at which messages would certainly have been heard. A closed
 * connection is noticed at once. All times are milliseconds since 1970.
 */
export class Hearing {
  readonly #silence: number;
  readonly #began: number;
  /** The last moment at which this process ran and its connection was known to be alive. */
  #certain: number;
  #lastTick: number;
  /** Until then a connection that outlived a standstill may turn out to be lost. */
  #doubtUntil = 0;
  #lastMessage = 0;
  #lostAt: { from: number; reason: string } | undefined;
  /** The least time from a message's stamp to its receipt on this connection: the way, and how far the broker's clock is off. */
  #least = Infinity;
  /** The topics whose messages lag, each with when its newest message was sent, and when that came. */
  readonly #behind = new Map<string, { sent: number; at: number }>();

  /** @param silence how long a broker may be silent before that is noticed, in milliseconds */
  constructor(silence: number, now: number) {
    this.#silence = silence;
    this.#began = now;
    this.#certain = now;
    this.#lastTick = now;
    this.#lostAt = { from: now, reason: 'the observer was not connected yet' };
  }

  /** Up to when messages were heard: now, but while messages lag, when the newest was sent. */
  until(now: number): number {
    return Math.min(now, ...[...this.#behind.values()].map(({ sent }) => sent));
  }

  /** Call this every second. */
  tick(now: number): void {
    this.#noticeStandstill(now);
    this.#lastTick = now;
    if (now >= this.#doubtUntil) this.#certain = now;
    // Nothing more waits on a topic if the connection lives and that topic brings nothing.
    for (const [topic, { at }] of this.#behind) if (now - at >= this.#silence) this.#behind.delete(topic);
  }

  /**
   * A message after a standstill may have waited for long: it proves nothing about the messages behind it.
   * @param sent by the broker's clock; undefined if the broker does not say
   */
  message(now: number, topic: string, sent?: number): void {
    this.#noticeStandstill(now);
    if (now >= this.#doubtUntil) this.#lastMessage = now;
    if (sent === undefined || Math.abs(now - sent) > plausibleOffset) return;
    this.#least = Math.min(this.#least, now - sent);
    const left = sent + this.#least;
    if (now - left > lagLimit)
      this.#behind.set(topic, { sent: Math.max(left, this.#behind.get(topic)?.sent ?? 0), at: now });
    else this.#behind.delete(topic);
  }

  /**
   * The connection is gone; the tick that notices a standstill may come later.
   * @param aliveAt up to when it certainly brought everything; undefined if it fell silent
   */
  lost(reason: string, now: number, aliveAt: number | undefined): void {
    if (this.#lostAt !== undefined) return;
    const stoodStillNow = now < this.#doubtUntil || now - this.#lastTick > stoodStill;
    const certain = aliveAt === undefined || stoodStillNow ? this.#certain - this.#silence : aliveAt;
    this.#lostAt = { from: this.until(Math.max(this.#began, this.#lastMessage, certain)), reason };
  }

  /** The gap until now, while the connection is gone. */
  gap(now: number): GapLine | undefined {
    if (this.#lostAt === undefined) return undefined;
    const { from, reason } = this.#lostAt;
    return { gap: { from: new Date(from).toISOString(), until: new Date(now).toISOString(), reason } };
  }

  /** The connection is back. Returns the gap that ends now, if there was one. */
  back(now: number): GapLine | undefined {
    const gap = this.gap(now);
    this.#certain = now;
    this.#lastTick = now;
    this.#lostAt = undefined;
    this.#doubtUntil = 0;
    this.#behind.clear();
    // The broker's clock may have been set meanwhile, so the quickest way is measured anew.
    this.#least = Infinity;
    return gap;
  }

  #noticeStandstill(now: number): void {
    if (now - this.#lastTick > stoodStill) this.#doubtUntil = now + this.#silence;
  }
}
