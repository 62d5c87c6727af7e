import type { GapLine } from './recording-lines.ts';

/** A tick this late means that the process stood still. Milliseconds. */
const stoodStill = 3000;

/**
 * Tracks since when nothing was heard. The loss of a connection is noticed late: a broker may be silent for a while, and a stopped process notices
 * nothing. So a gap begins at the last moment at which messages would certainly have been heard. All times are milliseconds since 1970.
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

  /** @param silence how long a broker may be silent before that is noticed, in milliseconds */
  constructor(silence: number, now: number) {
    this.#silence = silence;
    this.#began = now;
    this.#certain = now;
    this.#lastTick = now;
    this.#lostAt = { from: now, reason: 'the observer was not connected yet' };
  }

  /** Call this every second. */
  tick(now: number): void {
    this.#noticeStandstill(now);
    this.#lastTick = now;
    if (now >= this.#doubtUntil) this.#certain = now;
  }

  /** A message after a standstill may have waited for long: it proves nothing about the messages behind it. */
  message(now: number): void {
    this.#noticeStandstill(now);
    if (now >= this.#doubtUntil) this.#lastMessage = now;
  }

  /** The connection is gone; the tick that notices a standstill may come later. */
  lost(reason: string): void {
    if (this.#lostAt !== undefined) return;
    this.#lostAt = { from: Math.max(this.#began, this.#lastMessage, this.#certain - this.#silence), reason };
  }

  /** The connection is back. Returns the gap that ends now, if there was one. */
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
