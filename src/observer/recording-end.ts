import type { FileHandle } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

/** As much of a file as is read to find its last line, in bytes. A line is a few kilobytes, and a piece of a compressed file at most some seconds long. */
const tailBytes = 16 * 1024 * 1024;

/** The bytes with which a piece of gzip begins: its mark, and deflate. */
const pieceMark = Buffer.from([0x1f, 0x8b, 0x08]);

const newline = 10;

/** Marks that are tried for the beginning of a piece: the mark may also stand within a piece by chance. */
const maxMarks = 8;

interface Whole {
  /** Bytes up to the last end of a line, or of a piece. */
  size: number;
  /** The last line; undefined where there is none. */
  last: string | undefined;
}

/** The part of a recording that is whole: what a full disk or the end of a machine has torn is behind it. */
export async function wholePart(handle: FileHandle, size: number, isCompressed: boolean): Promise<Whole> {
  const at = Math.max(0, size - tailBytes);
  const tail = Buffer.alloc(size - at);
  await handle.read(tail, 0, tail.length, at);
  const { end, text } = isCompressed ? lastPiece(tail) : lastLines(tail);
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
  for (let tried = 0; at >= 0 && tried < maxMarks; tried += 1) {
    try {
      return gunzipSync(tail.subarray(at, end)).toString('utf8');
    } catch {
      at = markBefore(tail, at);
    }
  }
  return undefined;
}

const markBefore = (tail: Buffer, end: number): number => (end <= 0 ? -1 : tail.lastIndexOf(pieceMark, end - 1));
