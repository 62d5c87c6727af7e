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
 * A recording on disk to which lines are appended. A file whose name ends with `.gz` consists of compressed
 * pieces, one per append, so that a killed process leaves complete pieces.
 * @param size of the complete part, in bytes
 */
function recordingFile(path: string, handle: FileHandle, size: number) {
  return {
    size: () => size,
    /** Adds all of these lines or none. Rejects with the system's error. */
    async add(lines: readonly string[]) {
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
 * Opens a recording, or starts one. Cuts off an incomplete end. Throws `DATA_UNAVAILABLE` if the file cannot be
 * written to, and `ARGUMENT_INVALID`, leaving the file unchanged, if it is not a recording.
 * @returns the file with its last line, if any
 */
export async function openRecording(path: string) {
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
export const createRecording = async (path: string) =>
  recordingFile(path, await openTo(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL), 0);

const isPacked = (path: string) => path.endsWith('.gz');

async function openTo(path: string, flags: number) {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw notOurs(path, 'already exists');
    throw dataUnavailable(`${path} cannot be written: ${messageOf(error)}; name another file`, { cause: error });
  }
}

const notOurs = (path: string, what: string) => argumentInvalid(`${path} ${what}; name another file`);

/**
 * Number of bytes to read from the end of a file to find its last line. A line is a few kilobytes long, and a
 * piece of a compressed file covers a few seconds at most.
 */
const tailBytes = 16 * 1024 * 1024;

/** The first bytes of a gzip piece: the magic number, and the code for deflate. */
const pieceMark = Buffer.from([0x1f, 0x8b, 0x08]);

const newline = 10;

/** Number of marks to try as the start of a piece, since a mark may also occur within a piece by chance. */
const maxMarks = 8;

/** Number of bytes to read to determine whether a file is a recording. */
const headBytes = 64 * 1024;

/** Whether a file begins like a recording: no other file may be written to. */
async function isRecording(handle: FileHandle, isCompressed: boolean) {
  const head = Buffer.alloc(headBytes);
  const { bytesRead } = await handle.read(head, 0, headBytes, 0);
  const text = textOfHead(head.subarray(0, bytesRead), isCompressed);
  return parseLine(text.split('\n', 1)[0] ?? '').kind !== 'rejected';
}

function textOfHead(head: Buffer, isCompressed: boolean) {
  const bytes = () => (isCompressed ? gunzipSync(head, { finishFlush: compression.Z_SYNC_FLUSH }) : head);
  return tried(() => bytes().toString('utf8')) ?? '';
}

/**
 * The intact part of a recording, before anything torn by a full disk or a machine crash: its size, up to the
 * last end of a line or of a piece, and its last line. Undefined if there is no whole line or piece near the
 * end; nothing may be cut off in that case.
 */
async function wholePart(handle: FileHandle, size: number, isCompressed: boolean) {
  const at = Math.max(0, size - tailBytes);
  const tail = Buffer.alloc(size - at);
  await handle.read(tail, 0, tail.length, at);
  const { end, text } = isCompressed ? lastPiece(tail) : lastLines(tail);
  if (end === 0) return undefined;
  return { size: at + end, last: text.trimEnd().split('\n').at(-1) || undefined };
}

function lastLines(tail: Buffer) {
  const end = tail.lastIndexOf(newline) + 1;
  return { end, text: tail.subarray(0, end).toString('utf8') };
}

/** The last whole piece: where it ends, and its text. */
function lastPiece(tail: Buffer) {
  for (let end = tail.length; end > 0; end = markBefore(tail, end)) {
    const text = pieceBefore(tail, end);
    if (text !== undefined) return { end, text };
  }
  return { end: 0, text: '' };
}

function pieceBefore(tail: Buffer, end: number) {
  let at = markBefore(tail, end);
  for (let marks = 0; at >= 0 && marks < maxMarks; marks += 1) {
    try {
      const bytes = gunzipSync(tail.subarray(at, end));
      // A piece ends with its length. Zeros that a machine crash leaves after a piece are silently skipped.
      if (tail.readUInt32LE(end - 4) === bytes.length) return bytes.toString('utf8');
    } catch {
      // A torn piece, or a mark that occurs within a piece by chance.
    }
    at = markBefore(tail, at);
  }
  return undefined;
}

const markBefore = (tail: Buffer, end: number) => (end <= 0 ? -1 : tail.lastIndexOf(pieceMark, end - 1));
