import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf, SwfError } from '../lib/errors.ts';
import type { CaptureLine, RecordingLine } from '../observed/recording-lines.ts';
import { RecordingFile } from './recording-file.ts';
import { lockRecording } from './recording-lock.ts';

/** A file of a folder is followed by the next when it is so large, in bytes. */
const maxBytes = 1_000_000_000;

/** Where a recording goes: a file, or a folder with a file a day, and one more each gigabyte. */
export interface RecordingPlace {
  fileAt(time: string): Promise<RecordingFile>;
  /** Another observer may write there now. */
  leave(): Promise<void>;
}

/**
 * The place of a name: one that ends with `/` is a folder, which is made. A file that is there already is continued, and says that nobody listened meanwhile.
 * @param capture the first line of a new file
 */
export async function recordingPlace(
  name: string,
  capture: Omit<CaptureLine, 'capture' | 't'>,
  limit = maxBytes,
): Promise<RecordingPlace> {
  const begin = async (path: string, time: string): Promise<RecordingFile> => {
    const { file, last } = await RecordingFile.open(path);
    const line =
      last === undefined ? ({ capture: 1, t: time, ...capture } satisfies CaptureLine) : pauseSince(last, time);
    if (line !== undefined) await file.add([JSON.stringify(line)]);
    return file;
  };
  if (!name.endsWith('/')) {
    const leave = await lockRecording(`${name}.lock`);
    let file: Promise<RecordingFile> | undefined;
    return { fileAt: (time) => (file ??= begin(name, time)), leave };
  }
  await makeFolder(name);
  const leave = await lockRecording(join(name, '.lock'));
  const files = new DailyFiles(name, begin, limit);
  return { fileAt: (time) => files.fileAt(time), leave };
}

async function makeFolder(name: string): Promise<void> {
  try {
    await mkdir(name, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SwfError('DATA_UNAVAILABLE', `${name} cannot be made: ${messageOf(error)}; name another folder`, {
      cause: error,
    });
  }
}

class DailyFiles {
  readonly #folder: string;
  readonly #begin: (path: string, time: string) => Promise<RecordingFile>;
  readonly #limit: number;
  #file: RecordingFile | undefined;
  #day = '';
  #number = 1;

  constructor(folder: string, begin: (path: string, time: string) => Promise<RecordingFile>, limit: number) {
    this.#folder = folder;
    this.#begin = begin;
    this.#limit = limit;
  }

  async fileAt(time: string): Promise<RecordingFile> {
    const day = time.slice(0, 10);
    const before = this.#file;
    if (before !== undefined && day <= this.#day && before.size < this.#limit) return before;
    const number = day > this.#day ? await this.#lastNumber(day) : this.#number + 1;
    const next = await this.#begin(join(this.#folder, nameOf(day > this.#day ? day : this.#day, number)), time);
    await before?.close();
    this.#file = next;
    this.#number = number;
    if (day > this.#day) this.#day = day;
    return next.size < this.#limit ? next : this.fileAt(time);
  }

  /** The newest file of a day that an observer before has begun; the first, where there is none. */
  async #lastNumber(day: string): Promise<number> {
    const names = new Set(await readdir(this.#folder));
    let number = 1;
    while (names.has(nameOf(day, number + 1))) number += 1;
    return number;
  }
}

const nameOf = (day: string, number: number): string => `${day}${number === 1 ? '' : `.${number}`}.jsonl.gz`;

/** The time in which nobody listened, since the last line of a recording that is continued. */
function pauseSince(last: string, until: string): RecordingLine | undefined {
  const from = timeOf(last);
  return from === undefined || from >= until ? undefined : { gap: { from, until, reason: 'no observer ran' } };
}

function timeOf(line: string): string | undefined {
  try {
    const { t, until, gap } = JSON.parse(line) as { t?: unknown; until?: unknown; gap?: { until?: unknown } };
    const time = t ?? until ?? gap?.until;
    return typeof time === 'string' ? time : undefined;
  } catch {
    return undefined;
  }
}
