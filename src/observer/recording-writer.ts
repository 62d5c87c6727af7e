import { messageOf } from '../lib/errors.ts';
import type { RecordingLine } from '../observed/recording-lines.ts';
import type { RecordingFile } from './recording-file.ts';

/** More than so much is not kept waiting for a disk, in characters: nothing may pile up in the broker, and memory has an end. */
const maxWaiting = 64 * 1024 * 1024;

/** How much is added to a file at a time, in characters. */
const maxPiece = 2 * 1024 * 1024;

/** Lines wait so long for others, in milliseconds; after a failure it is tried again as often. A process that is killed loses no more. */
const flushMilliseconds = 300;

export interface RecordingWriterOptions {
  /** The file that a line of this time goes to; another than before, where one is begun. */
  fileAt: (time: string) => Promise<RecordingFile>;
  /** Told once of a disk that does not take what is written, and when it does again. */
  say: (line: string) => void;
  /** In milliseconds since 1970. */
  now?: () => number;
}

interface Waiting {
  time: string;
  text: string;
}

/**
 * Writes lines into recordings, in their order, a moment after they have come. It never keeps its caller waiting: where the disk does not take them, they wait
 * here, and what has no room is dropped and told as a gap.
 */
export class RecordingWriter {
  readonly #options: Required<RecordingWriterOptions>;
  readonly #timer: NodeJS.Timeout;
  #waiting: Waiting[] = [];
  #size = 0;
  #droppedSince: string | undefined;
  #flushing: Promise<void> | undefined;
  #hasFailed = false;
  #file: RecordingFile | undefined;

  constructor(options: RecordingWriterOptions) {
    this.#options = { now: Date.now, ...options };
    this.#timer = setInterval(() => void this.flush(), flushMilliseconds);
  }

  /** @param time of the line, ISO 8601: where it stands among the others */
  add(line: RecordingLine, time: string): void {
    const text = JSON.stringify(line);
    if (this.#size + text.length > maxWaiting) {
      this.#droppedSince ??= time;
      return;
    }
    this.#tellDropped(time);
    this.#push({ time, text });
  }

  /** Writes what waits. It resolves when that is tried. */
  flush(): Promise<void> {
    this.#flushing ??= this.#writeAll().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  /** Writes the rest, with the time until which it was listened, and closes. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    const until = new Date(this.#options.now()).toISOString();
    this.add({ until }, until);
    await this.flush();
    if (this.#waiting.length > 0)
      this.#options.say(`WARNING ${this.#waiting.length} lines are lost: the disk does not take them`);
    await this.#file?.close();
  }

  #push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#size += waiting.text.length;
  }

  #tellDropped(until: string): void {
    const from = this.#droppedSince;
    if (from === undefined) return;
    this.#droppedSince = undefined;
    const gap = { from, until, reason: 'messages could not be written as fast as they came' };
    this.#push({ time: until, text: JSON.stringify({ gap }) });
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#writePiece();
      if (this.#hasFailed) this.#options.say('the recording goes on');
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed)
        this.#options.say(
          `WARNING the recording cannot be written (${messageOf(error)}); it is tried again, and lines wait`,
        );
      this.#hasFailed = true;
    }
    if (!this.#hasFailed && this.#droppedSince !== undefined)
      this.#tellDropped(new Date(this.#options.now()).toISOString());
  }

  async #writePiece(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#file = await this.#options.fileAt(first.time);
    const piece = this.#nextPiece(first.time);
    await this.#file.add(piece.map(({ text }) => text));
    this.#waiting = this.#waiting.slice(piece.length);
    for (const { text } of piece) this.#size -= text.length;
  }

  /** Lines of one day, as many as one piece holds, and at least one. */
  #nextPiece(time: string): Waiting[] {
    const day = time.slice(0, 10);
    let size = 0;
    const end = this.#waiting.findIndex((line, at) => {
      size += line.text.length;
      return at > 0 && (size > maxPiece || !line.time.startsWith(day));
    });
    return end === -1 ? [...this.#waiting] : this.#waiting.slice(0, end);
  }
}
