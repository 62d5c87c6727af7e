import type { FileHandle } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';

import { tried } from '../lib/tried.ts';
import { parseLine } from '../observed/parse-line.ts';

/** Bytes of a file to read to find its last line. A line is a few kilobytes, and a piece of a compressed file at most some seconds long. */
const tailBytes = 16 * 1024 * 1024;

/** The first bytes of a gzip piece: its mark, and deflate. */
const pieceMark = Buffer.from([0x1f, 0x8b, 0x08]);

const newline = 10;

/** Marks to try as the start of a piece: the mark may also occur within a piece by chance. */
const maxMarks = 8;

/** Bytes of a file to read to see whether it is a recording. */
const headBytes = 64 * 1024;

/** Whether a file begins like a recording: no other file may be written to. */
export async function isRecording(handle: FileHandle, isCompressed: boolean): Promise<boolean> {
  const head = Buffer.alloc(headBytes);
  const { bytesRead } = await handle.read(head, 0, headBytes, 0);
  const text = textOfHead(head.subarray(0, bytesRead), isCompressed);
  return parseLine(text.split('\n', 1)[0] ?? '').kind !== 'rejected';
}

function textOfHead(head: Buffer, isCompressed: boolean): string {
  const bytes = (): Buffer => (isCompressed ? gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) : head);
  return tried(() => bytes().toString('utf8')) ?? '';
}

/**
 * The intact part of a recording, before anything torn by a full disk or a crash of the machine: its bytes, up to the last end of a line or of a piece,
 * and its last line. Undefined if no whole line or piece is found near its end: then nothing may be cut off.
 */
export async function wholePart(handle: FileHandle, size: number, isCompressed: boolean) {
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
      // A piece ends with its length; zeros that a crash of the machine leaves behind it are silently skipped.
      if (tail.readUInt32LE(end - 4) === bytes.length) return bytes.toString('utf8');
    } catch {
      // Torn, or a mark within a piece by chance.
    }
    at = markBefore(tail, at);
  }
  return undefined;
}

const markBefore = (tail: Buffer, end: number): number => (end <= 0 ? -1 : tail.lastIndexOf(pieceMark, end - 1));
