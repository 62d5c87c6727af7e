import type { GapLine } from './recording-lines.ts';

/** A tick that comes so much later than it should means that the process stood still, in milliseconds. */
const stoodStill = 3000;

/**
 * Knows since when nothing was heard. A connection that is lost is known to be so later than it is: a broker may be silent for a while, and a process that
 * was stopped notices nothing. So a gap begins at the last moment at which it is certain that one would have heard. All times are milliseconds since 1970.
 */
export class Hearing {
  readonly #silence: number;
  readonly #began: number;
  /** The last moment at which this process ran, and its connection was known to live. */
  #certain: number;
  #lastTick: number;
  /** Until then a connection that outlived a standstill may turn out to be lost. */
  #doubtUntil = 0;
  #lastMessage = 0;
  #lostAt: { from: number; reason: string } | undefined;

  /** @param silence how long a broker may be silent before that is noticed, in milliseconds */
  constructor(silence: number, now: number) {
    this.#silence = silence;
    this.#began = now;
    this.#certain = now;
    this.#lastTick = now;
    this.#lostAt = { from: now, reason: 'the observer was not connected yet' };
  }

  /** Each second. */
  tick(now: number): void {
    this.#noticeStandstill(now);
    this.#lastTick = now;
    if (now >= this.#doubtUntil) this.#certain = now;
  }

  /** One that comes after a standstill may have waited since long before: it tells nothing of those behind it. */
  message(now: number): void {
    this.#noticeStandstill(now);
    if (now >= this.#doubtUntil) this.#lastMessage = now;
  }

  /** The connection is gone; the tick that sees a standstill may be later than this. */
  lost(reason: string): void {
    if (this.#lostAt !== undefined) return;
    this.#lostAt = { from: Math.max(this.#began, this.#lastMessage, this.#certain - this.#silence), reason };
  }

  /** The connection is there: the gap that ends now, where there was one. */
  back(now: number): GapLine | undefined {
    this.#certain = now;
    this.#lastTick = now;
    const lost = this.#lostAt;
    this.#lostAt = undefined;
    this.#doubtUntil = 0;
    if (lost === undefined) return undefined;
    return {
      gap: { from: new Date(lost.from).toISOString(), until: new Date(now).toISOString(), reason: lost.reason },
    };
  }

  #noticeStandstill(now: number): void {
    if (now - this.#lastTick > stoodStill) this.#doubtUntil = now + this.#silence;
  }
}
