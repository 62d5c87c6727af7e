import { onceAtATime } from '../lib/batches.ts';
import { messageOf } from '../lib/errors.ts';
import type { RecordingLine } from '../observed/recording-lines.ts';
import type { RecordingFile } from './recording-file.ts';

/**
 * Maximum number of characters in waiting lines: memory is finite, and lines beyond this number are dropped,
 * since messages must not pile up in the broker.
 */
const maxWaiting = 64 * 1024 * 1024;

/**
 * How long lines wait to be written together, and the interval between retries, in milliseconds. A killed
 * process loses at most the lines of one such interval.
 */
const flushMilliseconds = 300;

export interface WaitingLine {
  /** The time by which lines are ordered, ISO 8601. */
  time: string;
  line: RecordingLine;
  /** The line as JSON. */
  text: string;
}

interface WaitingLinesOptions {
  /** The place to which the lines are written, in words, such as "the recording". */
  name: string;
  /** Writes at least the first of these lines. Resolves with the number of lines written. */
  write: (lines: readonly WaitingLine[]) => Promise<number>;
  /** Called once when lines can no longer be written, and once when writing resumes. */
  say: (line: string) => void;
  /** In milliseconds since 1970. */
  now?: () => number;
}

/**
 * Lines waiting to be written to a file or a store, in order. Adding a line never blocks: lines that cannot
 * be written wait here. If there is no space, lines are dropped and recorded as a gap.
 * @returns `add`: takes a line, its time in ISO 8601, and its JSON if that exists already. `flush`: tries to
 * write all waiting lines, and resolves after the attempt. `close`: writes the rest and the time when
 * listening ended, in milliseconds since 1970 (default: now). `backlog`: how many lines are waiting, how many
 * were dropped since the process began, and whether the last write failed. `oldest`: the time of the oldest
 * waiting line, in milliseconds since 1970.
 */
export function createWaitingLines({ name, write, say, now = Date.now }: WaitingLinesOptions) {
  let waiting: WaitingLine[] = [];
  let size = 0;
  let droppedSince: string | undefined;
  let isFailing = false;
  let dropped = 0;
  const push = (line: RecordingLine, time: string, text = JSON.stringify(line)) => {
    waiting.push({ time, line, text });
    size += text.length;
  };
  const tellDropped = (until: string) => {
    if (droppedSince === undefined) return;
    push({ gap: { from: droppedSince, until, reason: 'messages arrived faster than they could be written' } }, until);
    droppedSince = undefined;
  };
  const add = (line: RecordingLine, time: string, text = JSON.stringify(line)) => {
    if (size + text.length > maxWaiting) {
      droppedSince ??= time;
      dropped += 1;
      return;
    }
    tellDropped(time);
    push(line, time, text);
  };
  const writeAll = async () => {
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
  const flush = onceAtATime(writeAll);
  const timer = setInterval(() => void flush(), flushMilliseconds);
  const close = async (heardUntil = now()) => {
    clearInterval(timer);
    await flush();
    const until = new Date(heardUntil).toISOString();
    add({ until }, until);
    await flush();
    if (waiting.length > 0) say(`WARNING ${waiting.length} lines were lost: they could not be written to ${name}`);
  };
  const backlog = () => ({ waiting: waiting.length, dropped, isFailing });
  return { add, flush, close, backlog, oldest: () => waiting[0] && Date.parse(waiting[0].time) };
}

/** Maximum number of characters to add to a file at once. */
const maxPiece = 2 * 1024 * 1024;

/**
 * Writes lines to recordings, shortly after they arrive.
 * @param fileAt returns the file for a line with this time, starting a new file if needed
 */
export function createRecordingWriter({
  fileAt,
  ...options
}: Pick<WaitingLinesOptions, 'say' | 'now'> & { fileAt: (time: string) => Promise<RecordingFile> }) {
  let file: RecordingFile | undefined;
  const write = async (waiting: readonly WaitingLine[]) => {
    const time = waiting[0]?.time ?? '';
    file = await fileAt(time);
    const piece = nextPiece(waiting, time);
    await file.add(piece.map(({ text }) => text));
    return piece.length;
  };
  const lines = createWaitingLines({ ...options, name: 'the recording', write });
  return {
    lines,
    /** Writes the remaining lines and the time when listening ended, and closes the file. */
    async close(heardUntil?: number) {
      await lines.close(heardUntil);
      await file?.close();
    },
  };
}

/** The first lines that are from the same day and fit into one piece; at least one line. */
function nextPiece(lines: readonly WaitingLine[], time: string): readonly WaitingLine[] {
  const day = time.slice(0, 10);
  let size = 0;
  const end = lines.findIndex((line, at) => {
    size += line.text.length;
    return at > 0 && (size > maxPiece || !line.time.startsWith(day));
  });
  return end === -1 ? lines.slice() : lines.slice(0, end);
}
