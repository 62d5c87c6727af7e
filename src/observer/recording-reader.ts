import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

import { argumentInvalid, messageOf } from '../lib/errors.ts';
import { parseLine, type ReadLine, timeOfLine } from '../observed/recording-lines.ts';

/** Maximum length of a line, in characters. Bodies over a megabyte are kept as digests. */
const maxLine = 32 * 1024 * 1024;

export interface TornFile {
  path: string;
  why: string;
}

/**
 * The lines of recordings, merged by time, each recording as far as it can be read. Throws `ARGUMENT_INVALID`
 * for a file that cannot be opened.
 * @param onTorn called for a file that cannot be read to its end
 */
export async function* readRecordings(
  paths: readonly string[],
  onTorn: (torn: TornFile) => void,
): AsyncGenerator<ReadLine & { path: string }> {
  const heads: { path: string; next: AsyncGenerator<ReadLine>; line: ReadLine; time: string }[] = [];
  const advance = async (path: string, next: AsyncGenerator<ReadLine>, before: string) => {
    const { value, done } = await next.next();
    // A line without a time keeps its place within its file.
    if (done !== true) heads.push({ path, next, line: value, time: timeOfLine(value) ?? before });
  };
  for (const path of paths) {
    // A pipe is refused, since some callers read a recording more than once.
    if ((await stat(path).catch(() => undefined))?.isFile() === false)
      throw argumentInvalid(`${path} cannot be read: it is not a file; give the path of a recording`);
    await advance(path, linesOf(path, onTorn), '');
  }
  while (heads.length > 0) {
    const earliest = heads.reduce((first, head) =>
      Date.parse(head.time) < Date.parse(first.time) || head.time === '' ? head : first,
    );
    heads.splice(heads.indexOf(earliest), 1);
    yield { ...earliest.line, path: earliest.path };
    await advance(earliest.path, earliest.next, earliest.time);
  }
}

/** The lines of a file, without a byte-order mark. */
async function* linesOf(path: string, onTorn: (torn: TornFile) => void): AsyncGenerator<ReadLine> {
  /** The incomplete line, or only its beginning if the line is too long. */
  let begun = '';
  try {
    const isPacked = await isCompressed(path);
    const file = createReadStream(path);
    const bytes = isPacked ? file.pipe(createGunzip()) : file;
    file.on('error', (error) => bytes.destroy(error));
    let isFirst = true;
    for await (const chunk of bytes.setEncoding('utf8') as AsyncIterable<string>) {
      const [first = '', ...others] = (isFirst ? chunk.replace(/^\uFEFF/, '') : chunk).split(/\n+/);
      isFirst = false;
      begun += first.slice(0, maxLine - begun.length);
      for (const next of others) {
        if (begun.trim() !== '') yield parseLine(begun);
        begun = next.slice(0, maxLine);
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('E') === true)
      throw argumentInvalid(`${path} cannot be read: ${messageOf(error)}; give the path of a recording`, {
        cause: error,
      });
    onTorn({ path, why: messageOf(error) });
  }
  if (begun.trim() !== '') yield parseLine(begun);
}

/** Whether a file is in gzip format, whatever its name. */
async function isCompressed(path: string) {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}
