import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants as compression, gunzipSync, gzip } from 'node:zlib';

import { argumentInvalid, dataUnavailable, messageOf } from '../lib/errors.ts';
import { tried } from '../lib/tried.ts';
import { parseLine } from '../observed/recording-lines.ts';

const compressed = promisify(gzip);

export type RecordingFile = ReturnType<typeof recordingFile>;

/**
 * A recording on disk that lines are appended to. A file whose name ends with `.gz` consists of compressed
 * pieces, one per append, so that a killed process leaves complete pieces behind.
 * @param size bytes written completely
 */
function recordingFile(path: string, handle: FileHandle, size: number) {
  return {
    size: () => size,
    /** Adds lines, all of them or none. Rejects with the system's error. */
    async add(lines: readonly string[]): Promise<void> {
      const text = Buffer.from(`${lines.join('\n')}\n`);
      const bytes = isPacked(path) ? await compressed(text) : text;
      try {
        let written = 0;
        while (written < bytes.length)
          written += (await handle.write(bytes, written, bytes.length - written, size + written)).bytesWritten;
        size += bytes.length;
      } catch (error) {
        await handle.truncate(size).catch(() => {});
        throw error;
      }
    },
    close: () => handle.close(),
  };
}

/**
 * Opens a recording, or starts one. Cuts off a torn end.
 * @returns the file with its last line, if any Throws `DATA_UNAVAILABLE` if it cannot be written, and
 * `ARGUMENT_INVALID` for a file that is not a recording, which stays unchanged.
 */
export async function openRecording(path: string): Promise<{ file: RecordingFile; last: string | undefined }> {
  const handle = await openTo(path, constants.O_RDWR | constants.O_CREAT);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notOurs(path, 'is not a file');
    if (stats.size === 0) return { file: recordingFile(path, handle, 0), last: undefined };
    const whole = (await isRecording(handle, isPacked(path)))
      ? await wholePart(handle, stats.size, isPacked(path))
      : undefined;
    if (whole === undefined) throw notOurs(path, 'already exists, and is not a recording that can be continued');
    if (whole.size < stats.size) await handle.truncate(whole.size);
    return { file: recordingFile(path, handle, whole.size), last: whole.last };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Starts a recording in a new file. Throws as `openRecording` does. */
export const createRecording = async (path: string): Promise<RecordingFile> =>
  recordingFile(path, await openTo(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL), 0);

const isPacked = (path: string) => path.endsWith('.gz');

async function openTo(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw notOurs(path, 'already exists');
    throw dataUnavailable(`${path} cannot be written: ${messageOf(error)}; name another file`, { cause: error });
  }
}

const notOurs = (path: string, what: string) => argumentInvalid(`${path} ${what}; name another file`);

/**
 * Bytes of a file to read to find its last line. A line is a few kilobytes, and a piece of a compressed file
 * at most some seconds long.
 */
const tailBytes = 16 * 1024 * 1024;

/** The first bytes of a gzip piece: its magic number, and deflate. */
const pieceMark = Buffer.from([0x1f, 0x8b, 0x08]);

const newline = 10;

/** How many marks to try as the start of a piece: one may also occur within a piece by chance. */
const maxMarks = 8;

/** Bytes of a file to read to see whether it is a recording. */
const headBytes = 64 * 1024;

/** Whether a file begins like a recording: no other file may be written to. */
async function isRecording(handle: FileHandle, isCompressed: boolean): Promise<boolean> {
  const head = Buffer.alloc(headBytes);
  const { bytesRead } = await handle.read(head, 0, headBytes, 0);
  const text = textOfHead(head.subarray(0, bytesRead), isCompressed);
  return parseLine(text.split('\n', 1)[0] ?? '').kind !== 'rejected';
}

function textOfHead(head: Buffer, isCompressed: boolean): string {
  const bytes = () => (isCompressed ? gunzipSync(head, { finishFlush: compression.Z_SYNC_FLUSH }) : head);
  return tried(() => bytes().toString('utf8')) ?? '';
}

/**
 * The intact part of a recording, before anything torn by a full disk or a crash of the machine: its bytes,
 * up to the last end of a line or of a piece, and its last line. Undefined if no whole line or piece is found
 * near its end: then nothing may be cut off.
 */
async function wholePart(handle: FileHandle, size: number, isCompressed: boolean) {
  const at = Math.max(0, size - tailBytes);
  const tail = Buffer.alloc(size - at);
  await handle.read(tail, 0, tail.length, at);
  const { end, text } = isCompressed ? lastPiece(tail) : lastLines(tail);
  if (end === 0) return undefined;
  return { size: at + end, last: text.trimEnd().split('\n').at(-1) || undefined };
}

function lastLines(tail: Buffer): { end: number; text: string } {
  const end = tail.lastIndexOf(newline) + 1;
  return { end, text: tail.subarray(0, end).toString('utf8') };
}

/** Where the last whole piece ends, with its text. */
function lastPiece(tail: Buffer): { end: number; text: string } {
  for (let end = tail.length; end > 0; end = markBefore(tail, end)) {
    const text = pieceBefore(tail, end);
    if (text !== undefined) return { end, text };
  }
  return { end: 0, text: '' };
}

function pieceBefore(tail: Buffer, end: number): string | undefined {
  let at = markBefore(tail, end);
  for (let marks = 0; at >= 0 && marks < maxMarks; marks += 1) {
    try {
      const bytes = gunzipSync(tail.subarray(at, end));
      // A piece ends with its length; zeros that a crash of the machine leaves behind it are silently
      // skipped.
      if (tail.readUInt32LE(end - 4) === bytes.length) return bytes.toString('utf8');
    } catch {
      // Torn, or a mark that occurs within a piece by chance.
    }
    at = markBefore(tail, at);
  }
  return undefined;
}

const markBefore = (tail: Buffer, end: number) => (end <= 0 ? -1 : tail.lastIndexOf(pieceMark, end - 1));
