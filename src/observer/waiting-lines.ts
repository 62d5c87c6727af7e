import { messageOf } from '../lib/errors.ts';
import type { GapLine, RecordingLine } from '../observed/recording-lines.ts';
import type { RecordingFile } from './recording-file.ts';

/** Most characters kept waiting: nothing may pile up in the broker, and memory is finite. */
const maxWaiting = 64 * 1024 * 1024;

/** How long lines wait for others, and the interval of retries, in milliseconds. A killed process loses no more than this. */
const flushMilliseconds = 300;

export interface WaitingLine {
  /** Its place among the others, ISO 8601. */
  time: string;
  line: RecordingLine;
  /** The line as JSON. */
  text: string;
}

interface WaitingLinesOptions {
  /** The target of the lines, for people: "the recording". */
  name: string;
  /** Writes the first of these lines, at least one. Resolves with how many. */
  write: (lines: readonly WaitingLine[]) => Promise<number>;
  /** Called once when nothing can be written, and once when it goes on. */
  say: (line: string) => void;
  /** In milliseconds since 1970. */
  now?: () => number;
}

/**
 * Lines on their way into a file or a store, in order. Adding a line never blocks: lines that cannot be written wait here, and lines
 * without room are dropped and recorded as a gap.
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

  /** The state of the lines: how many wait, how many were dropped since the process began, and whether the last write failed. */
  get backlog() {
    return { waiting: this.#waiting.length, dropped: this.#dropped, isFailing: this.#hasFailed };
  }

  /** @param time of the line, ISO 8601 @param text the line as JSON, if already made */
  add(line: RecordingLine, time: string, text = JSON.stringify(line)): void {
    if (this.#size + text.length > maxWaiting) {
      this.#droppedSince ??= time;
      this.#dropped += 1;
      return;
    }
    this.#tellDropped(time);
    this.#push({ time, line, text });
  }

  /** Tries to write all waiting lines. Resolves after the attempt. */
  flush(): Promise<void> {
    this.#flushing ??= this.#writeAll().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  /** The time of the oldest line that is not written yet, in milliseconds since 1970. */
  get oldest(): number | undefined {
    const [first] = this.#waiting;
    return first === undefined ? undefined : Date.parse(first.time);
  }

  /** Writes the rest and the time when listening ended. @param heardUntil milliseconds since 1970; now by default */
  async close(heardUntil: number = this.#options.now()): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    const until = new Date(heardUntil).toISOString();
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
      if (!this.#hasFailed) say(`WARNING ${name} cannot be written (${messageOf(error)}); lines wait, retrying`);
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

/** Most characters to add to a file at a time. */
const maxPiece = 2 * 1024 * 1024;

export type RecordingWriter = ReturnType<typeof createRecordingWriter>;

/**
 * Writes lines into recordings, shortly after they come.
 * @param fileAt the file for a line of this time; a different one than before if a new file is started
 */
export function createRecordingWriter({
  fileAt,
  ...options
}: Pick<WaitingLinesOptions, 'say' | 'now'> & { fileAt: (time: string) => Promise<RecordingFile> }) {
  let file: RecordingFile | undefined;
  const write = async (waiting: readonly WaitingLine[]): Promise<number> => {
    const time = waiting[0]?.time ?? '';
    file = await fileAt(time);
    const piece = nextPiece(waiting, time);
    await file.add(piece.map(({ text }) => text));
    return piece.length;
  };
  const lines = new WaitingLines({ ...options, name: 'the recording', write });
  return {
    lines,
    /** Writes the rest and the time when listening ended, and closes. */
    async close(heardUntil?: number): Promise<void> {
      await lines.close(heardUntil);
      await file?.close();
    },
  };
}

/** Lines of one day, as many as one piece holds, and at least one. */
function nextPiece(lines: readonly WaitingLine[], time: string): readonly WaitingLine[] {
  const day = time.slice(0, 10);
  let size = 0;
  const end = lines.findIndex((line, at) => {
    size += line.text.length;
    return at > 0 && (size > maxPiece || !line.time.startsWith(day));
  });
  return end === -1 ? lines.slice() : lines.slice(0, end);
}
