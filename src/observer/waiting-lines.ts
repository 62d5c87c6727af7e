import { messageOf } from '../lib/errors.ts';
import type { RecordingLine } from '../observed/recording-lines.ts';
import type { RecordingFile } from './recording-file.ts';

/** Most characters kept waiting: nothing may pile up in the broker, and memory is finite. */
const maxWaiting = 64 * 1024 * 1024;

/**
 * How long lines wait to be written with others, and the interval of retries, in milliseconds. A killed
 * process loses no more than this.
 */
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
  /** Writes the first of these lines, at least one. Resolves with the number written. */
  write: (lines: readonly WaitingLine[]) => Promise<number>;
  /** Called once when nothing can be written, and once when writing continues. */
  say: (line: string) => void;
  /** In milliseconds since 1970. */
  now?: () => number;
}

/**
 * Lines waiting to be written to a file or a store, in order. Adding a line never blocks: lines that cannot
 * be written wait here; if there is no room, lines are dropped and recorded as a gap.
 * @returns `add`: a line, with its time in ISO 8601, and its JSON if that exists already. `flush` tries to
 * write all waiting lines, and resolves after the attempt. `close` writes the rest and the time when
 * listening ended, in milliseconds since 1970, now by default. `backlog`: how many wait, how many were
 * dropped since the process began, and whether the last write failed. `oldest`: the time of the oldest line
 * that is not written yet, in milliseconds since 1970.
 */
export function createWaitingLines({ name, write, say, now = Date.now }: WaitingLinesOptions) {
  let waiting: WaitingLine[] = [];
  let size = 0;
  let droppedSince: string | undefined;
  let flushing: Promise<void> | undefined;
  let isFailing = false;
  let dropped = 0;
  const push = (line: RecordingLine, time: string, text = JSON.stringify(line)): void => {
    waiting.push({ time, line, text });
    size += text.length;
  };
  const tellDropped = (until: string): void => {
    if (droppedSince === undefined) return;
    push({ gap: { from: droppedSince, until, reason: 'messages arrived faster than they could be written' } }, until);
    droppedSince = undefined;
  };
  const add = (line: RecordingLine, time: string, text = JSON.stringify(line)): void => {
    if (size + text.length > maxWaiting) {
      droppedSince ??= time;
      dropped += 1;
      return;
    }
    tellDropped(time);
    push(line, time, text);
  };
  const writeAll = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        const written = await write(waiting);
        for (const { text } of waiting.slice(0, written)) size -= text.length;
        waiting = waiting.slice(written);
      }
      if (isFailing) say(`${name} can be written again`);
      isFailing = false;
    } catch (error) {
      if (!isFailing) say(`WARNING ${name} cannot be written (${messageOf(error)}); lines are kept, retrying`);
      isFailing = true;
    }
    if (!isFailing) tellDropped(new Date(now()).toISOString());
  };
  const flush = () => (flushing ??= writeAll().finally(() => (flushing = undefined)));
  const timer = setInterval(() => void flush(), flushMilliseconds);
  const close = async (heardUntil = now()): Promise<void> => {
    clearInterval(timer);
    await flushing;
    const until = new Date(heardUntil).toISOString();
    add({ until }, until);
    await flush();
    if (waiting.length > 0) say(`WARNING ${waiting.length} lines were lost: they could not be written to ${name}`);
  };
  const backlog = () => ({ waiting: waiting.length, dropped, isFailing });
  return { add, flush, close, backlog, oldest: () => waiting[0] && Date.parse(waiting[0].time) };
}

/** Most characters to add to a file at a time. */
const maxPiece = 2 * 1024 * 1024;

/**
 * Writes lines into recordings, shortly after they arrive.
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
  const lines = createWaitingLines({ ...options, name: 'the recording', write });
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
