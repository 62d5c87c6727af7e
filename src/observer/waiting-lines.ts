import { messageOf } from '../lib/errors.ts';
import type { GapLine, RecordingLine } from '../observed/recording-lines.ts';

/** More than so much is not kept waiting, in characters: nothing may pile up in the broker, and memory has an end. */
const maxWaiting = 64 * 1024 * 1024;

/** Lines wait so long for others, in milliseconds; after a failure it is tried again as often. A process that is killed loses no more. */
const flushMilliseconds = 300;

/** A line that waits to be written. */
export interface WaitingLine {
  /** Where it stands among the others, ISO 8601. */
  time: string;
  line: RecordingLine;
  /** The same as JSON. */
  text: string;
}

/** The state of lines that are to be written. */
export interface Backlog {
  waiting: number;
  /** Since the process began. */
  dropped: number;
  /** Whether the last try to write has failed. */
  isFailing: boolean;
}

export interface WaitingLinesOptions {
  /** The target of the lines, for people: "the recording". */
  name: string;
  /** Writes the first of these, at least one. Resolves with how many. */
  write: (lines: readonly WaitingLine[]) => Promise<number>;
  /** Told once when nothing can be written, and when it goes on. */
  say: (line: string) => void;
  /** In milliseconds since 1970. */
  now?: () => number;
}

/**
 * Lines on their way into a file or a store, in their order. Adding one never blocks: lines that cannot be written wait here, and lines
 * without room are dropped and told as a gap.
 */
export class WaitingLines {
  readonly #options: Required<WaitingLinesOptions>;
  readonly #timer: NodeJS.Timeout;
  #waiting: WaitingLine[] = [];
  #size = 0;
  #droppedSince: string | undefined;
  #flushing: Promise<void> | undefined;
  #hasFailed = false;
  #dropped = 0;

  constructor(options: WaitingLinesOptions) {
    this.#options = { now: Date.now, ...options };
    this.#timer = setInterval(() => void this.flush(), flushMilliseconds);
  }

  get backlog(): Backlog {
    return { waiting: this.#waiting.length, dropped: this.#dropped, isFailing: this.#hasFailed };
  }

  /** @param time of the line, ISO 8601 @param text the same as JSON, where somebody has made it already */
  add(line: RecordingLine, time: string, text = JSON.stringify(line)): void {
    if (this.#size + text.length > maxWaiting) {
      this.#droppedSince ??= time;
      this.#dropped += 1;
      return;
    }
    this.#tellDropped(time);
    this.#push({ time, line, text });
  }

  /** Writes what waits. It resolves when that is tried. */
  flush(): Promise<void> {
    this.#flushing ??= this.#writeAll().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  /** Writes the rest, with the time until which it was listened. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    const until = new Date(this.#options.now()).toISOString();
    this.add({ until }, until);
    await this.flush();
    if (this.#waiting.length > 0)
      this.#options.say(`WARNING ${this.#waiting.length} lines are lost: ${this.#options.name} does not take them`);
  }

  #push(waiting: WaitingLine): void {
    this.#waiting.push(waiting);
    this.#size += waiting.text.length;
  }

  #tellDropped(until: string): void {
    const from = this.#droppedSince;
    if (from === undefined) return;
    this.#droppedSince = undefined;
    const line: GapLine = { gap: { from, until, reason: 'messages could not be written as fast as they came' } };
    this.#push({ time: until, line, text: JSON.stringify(line) });
  }

  async #writeAll(): Promise<void> {
    const { name, say, now } = this.#options;
    try {
      while (this.#waiting.length > 0) await this.#writeSome();
      if (this.#hasFailed) say(`${name} is written again`);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed)
        say(`WARNING ${name} cannot be written (${messageOf(error)}); it is tried again, and lines wait`);
      this.#hasFailed = true;
    }
    if (!this.#hasFailed) this.#tellDropped(new Date(now()).toISOString());
  }

  async #writeSome(): Promise<void> {
    const written = await this.#options.write(this.#waiting);
    for (const { text } of this.#waiting.slice(0, written)) this.#size -= text.length;
    this.#waiting = this.#waiting.slice(written);
  }
}
