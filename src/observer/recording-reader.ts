import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';

import { argumentInvalid, messageOf } from '../lib/errors.ts';
import { parseLine, type ReadLine, timeOfLine } from '../observed/parse-line.ts';

/** Longest line of a recording, in characters: bodies over a megabyte are kept as digests. */
const maxLine = 32 * 1024 * 1024;

export interface TornFile {
  path: string;
  why: string;
}

/**
 * The lines of recordings, merged by their times, as far as they can be read.
 * @param onTorn called for a file that cannot be read to its end
 * Throws `ARGUMENT_INVALID` for a file that cannot be opened.
 */
export async function* readRecordings(
  paths: readonly string[],
  onTorn: (torn: TornFile) => void,
): AsyncGenerator<ReadLine & { path: string }> {
  const heads: { path: string; next: AsyncGenerator<ReadLine>; line: ReadLine; time: string }[] = [];
  const advance = async (path: string, next: AsyncGenerator<ReadLine>, before: string): Promise<void> => {
    const { value, done } = await next.next();
    // A line without a time keeps its place in its file.
    if (done !== true) heads.push({ path, next, line: value, time: timeOfLine(value) ?? before });
  };
  for (const path of paths) {
    // Some callers read it more than once.
    if ((await stat(path).catch(() => undefined))?.isFile() === false)
      throw argumentInvalid(`${path} cannot be read: it is no file; name a recording`);
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

async function* linesOf(path: string, onTorn: (torn: TornFile) => void): AsyncGenerator<ReadLine> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  try {
    const file = createReadStream(path);
    const bytes = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
    file.on('error', (error) => bytes.destroy(error));
    for await (const chunk of bytes) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLine) rest = rest.slice(0, maxLine);
      for (const line of lines) if (line.trim() !== '') yield parseLine(line);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('E') === true)
      throw argumentInvalid(`${path} cannot be read: ${messageOf(error)}; name a recording`, { cause: error });
    onTorn({ path, why: messageOf(error) });
  }
  if (rest.trim() !== '') yield parseLine(rest);
}
