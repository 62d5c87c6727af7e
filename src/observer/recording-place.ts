import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { dataUnavailable, messageOf } from '../lib/errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { objectIn } from '../lib/read-json.ts';
import type { CaptureLine, GapLine } from '../observed/recording-lines.ts';
import { RecordingFile } from './recording-file.ts';
import { lockRecording } from './recording-lock.ts';

/** Size in bytes at which a folder's next file is started. */
const maxBytes = 1_000_000_000;

/**
 * Where a recording goes: a file, or a folder with a file per day, and another per gigabyte. `leave` lets another observer write there. A name that
 * ends with `/` is a folder, which is made. An existing file is continued, and notes that nobody listened meanwhile.
 * @param capture the first line of a new file
 */
export async function recordingPlace(
  name: string,
  capture: Omit<CaptureLine, 'capture' | 't'>,
  limit = maxBytes,
): Promise<{ fileAt: (time: string) => Promise<RecordingFile>; leave: () => Promise<void> }> {
  const begin = (path: string, time: string, before?: string) => beginFile(path, time, { capture, before });
  if (!name.endsWith('/')) {
    const leave = await lockRecording(`${name}.lock`);
    let file: Promise<RecordingFile> | undefined;
    return { fileAt: (time) => (file ??= begin(name, time)), leave };
  }
  makeNamedFolder(name);
  const leave = await lockRecording(join(name, '.lock'));
  const files = new DailyFiles(name, begin, limit);
  return { fileAt: (time) => files.fileAt(time), leave };
}

/** @param before the last line of the previous recording, if this file is new and continues it */
async function beginFile(
  path: string,
  time: string,
  { capture, before }: { capture: Omit<CaptureLine, 'capture' | 't'>; before: string | undefined },
): Promise<RecordingFile> {
  const { file, last } = await RecordingFile.open(path);
  const first: CaptureLine | undefined = last === undefined ? { capture: 1, t: time, ...capture } : undefined;
  const pause = pauseSince(last ?? before, time);
  const lines = [first, pause].filter((line) => line !== undefined).map((line) => JSON.stringify(line));
  try {
    if (lines.length > 0) await file.add(lines);
    return file;
  } catch (error) {
    await file.close();
    throw dataUnavailable(`${path} cannot be written: ${messageOf(error)}; make room, or name another file`, {
      cause: error,
    });
  }
}

function makeNamedFolder(name: string): void {
  try {
    makeFolder(name);
  } catch (error) {
    throw dataUnavailable(`${name} cannot be made: ${messageOf(error)}; name another folder`, { cause: error });
  }
}

type Begin = (path: string, time: string, before?: string) => Promise<RecordingFile>;

/** One file per day, and another if that has grown too large. */
class DailyFiles {
  readonly #folder: string;
  readonly #begin: Begin;
  readonly #limit: number;
  #file: RecordingFile | undefined;
  #day = '';
  #number = 1;

  constructor(folder: string, begin: Begin, limit: number) {
    this.#folder = folder;
    this.#begin = begin;
    this.#limit = limit;
  }

  async fileAt(time: string): Promise<RecordingFile> {
    const day = time.slice(0, 10);
    const before = this.#file;
    if (before === undefined) return this.#continue(day, time);
    if (day <= this.#day && before.size < this.#limit) return before;
    return day <= this.#day ? this.#next(this.#day, this.#number + 1, time) : this.#next(day, 1, time);
  }

  /** Continues the newest file if it is of this day; else its last line shows since when nobody has listened. */
  async #continue(day: string, time: string): Promise<RecordingFile> {
    const newest = await newestIn(this.#folder);
    if (newest === undefined) return this.#next(day, 1, time);
    if (newest.day >= day) {
      const file = await this.#next(newest.day, newest.number, time);
      return file.size < this.#limit ? file : this.fileAt(time);
    }
    const { file, last } = await RecordingFile.open(join(this.#folder, nameOf(newest.day, newest.number)));
    await file.close();
    return this.#next(day, 1, time, last);
  }

  async #next(day: string, number: number, time: string, before?: string): Promise<RecordingFile> {
    const next = await this.#begin(join(this.#folder, nameOf(day, number)), time, before);
    await this.#file?.close();
    this.#file = next;
    this.#day = day;
    this.#number = number;
    return next;
  }
}

/** The newest file of an earlier observer. */
async function newestIn(folder: string): Promise<{ day: string; number: number } | undefined> {
  const files = (await readdir(folder)).flatMap((name) => {
    const [, day, number = '1'] = /^(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.jsonl\.gz$/.exec(name) ?? [];
    return day === undefined ? [] : [{ day, number: Number(number) }];
  });
  return files.toSorted((a, b) => (a.day === b.day ? a.number - b.number : a.day < b.day ? -1 : 1)).at(-1);
}

const nameOf = (day: string, number: number): string => `${day}${number === 1 ? '' : `.${number}`}.jsonl.gz`;

/** The period in which nobody listened, since the last line of a continued recording. */
function pauseSince(last: string | undefined, until: string): GapLine | undefined {
  const from = last === undefined ? undefined : timeOf(last);
  return from === undefined || from >= until ? undefined : { gap: { from, until, reason: 'no observer ran' } };
}

function timeOf(line: string): string | undefined {
  const { t, until, gap } = objectIn(line) as { t?: unknown; until?: unknown; gap?: { until?: unknown } };
  const time = t ?? until ?? gap?.until;
  return typeof time === 'string' ? time : undefined;
}
