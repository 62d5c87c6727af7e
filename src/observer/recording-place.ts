import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { goneSeconds } from '../domain/liveness.ts';
import { dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';
import { holderOf, makeFolder, takeLock } from '../lib/file-system.ts';
import { objectIn } from '../lib/read-json.ts';
import type { CaptureLine, GapLine } from '../observed/recording-lines.ts';
import { openRecording, type RecordingFile } from './recording-file.ts';

/** When a file in a folder reaches this size in bytes, the next one is started. */
const maxBytes = 1_000_000_000;

type Capture = Omit<CaptureLine, 'capture' | 't'>;

/**
 * The place of a recording: a file, or a folder with one file per day and a further file after each gigabyte.
 * `leave` releases the place for another observer. A name that ends with `/` names a folder, which is created.
 * An existing file is continued; a gap line in it records that no observer listened in between.
 * @param capture the first line of a new file
 */
export async function recordingPlace(name: string, capture: Capture, limit = maxBytes) {
  const begin = beginning(capture);
  if (!name.endsWith('/')) {
    const leave = await lockRecording(`${name}.lock`);
    let file: Promise<RecordingFile> | undefined;
    return { fileAt: (time: string) => (file ??= begin(name, time)), leave };
  }
  makeNamedFolder(name);
  const leave = await lockRecording(join(name, '.lock'));
  return { fileAt: dailyFiles(name, begin, limit), leave };
}

/**
 * Starts a file.
 * @param before the last line of the previous recording, if this file is new and continues it
 */
type Begin = (path: string, time: string, before?: string) => Promise<RecordingFile>;

const beginning =
  (capture: Capture): Begin =>
  async (path, time, before) => {
    const { file, last } = await openRecording(path);
    const first: CaptureLine | undefined = last === undefined ? { capture: 1, t: time, ...capture } : undefined;
    const pause = pauseSince(last ?? before, time);
    const lines = [first, pause].filter((line) => line !== undefined).map((line) => JSON.stringify(line));
    try {
      if (lines.length > 0) await file.add(lines);
      return file;
    } catch (error) {
      await file.close();
      const words = `${path} cannot be written: ${messageOf(error)}; free some space, or name another file`;
      throw dataUnavailable(words, { cause: error });
    }
  };

function makeNamedFolder(name: string) {
  try {
    makeFolder(name);
  } catch (error) {
    throw dataUnavailable(`${name} cannot be created: ${messageOf(error)}; name another folder`, { cause: error });
  }
}

/** One file per day, and another whenever the file has grown too large. */
function dailyFiles(folder: string, begin: Begin, limit: number): (time: string) => Promise<RecordingFile> {
  let current: { file: RecordingFile; day: string; number: number } | undefined;
  const next = async (day: string, number: number, time: string, before?: string) => {
    const file = await begin(join(folder, nameOf(day, number)), time, before);
    await current?.file.close();
    current = { file, day, number };
    return file;
  };
  const fileAt = async (time: string): Promise<RecordingFile> => {
    const day = time.slice(0, 10);
    if (current === undefined) return continued(day, time);
    if (day > current.day) return next(day, 1, time);
    return current.file.size() < limit ? current.file : next(current.day, current.number + 1, time);
  };
  /**
   * Continues the newest file if it is from today. If it is older, its last line shows when the last observer
   * stopped listening.
   */
  const continued = async (day: string, time: string): Promise<RecordingFile> => {
    const newest = await newestIn(folder);
    if (newest === undefined) return next(day, 1, time);
    if (newest.day >= day) {
      const file = await next(newest.day, newest.number, time);
      return file.size() < limit ? file : fileAt(time);
    }
    const { file, last } = await openRecording(join(folder, nameOf(newest.day, newest.number)));
    await file.close();
    return next(day, 1, time, last);
  };
  return fileAt;
}

/** The newest file of an earlier observer. */
async function newestIn(folder: string) {
  const files = (await readdir(folder)).flatMap((name) => {
    const [, day, number = '1'] = /^(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.jsonl\.gz$/.exec(name) ?? [];
    return day === undefined ? [] : [{ day, number: Number(number) }];
  });
  return files.toSorted((a, b) => (a.day === b.day ? a.number - b.number : a.day < b.day ? -1 : 1)).at(-1);
}

const nameOf = (day: string, number: number) => `${day}${number === 1 ? '' : `.${number}`}.jsonl.gz`;

/** The period in which no observer listened, beginning at the last line of a continued recording. */
function pauseSince(last: string | undefined, until: string): GapLine | undefined {
  const from = last && timeOf(last);
  return from === undefined || from >= until ? undefined : { gap: { from, until, reason: 'no observer was running' } };
}

function timeOf(line: string) {
  const { t, until, gap } = objectIn(line) as { t?: unknown; until?: unknown; gap?: { until?: unknown } };
  const time = t ?? until ?? gap?.until;
  return typeof time === 'string' ? time : undefined;
}

/**
 * Locks a recording for this process, since two observers writing to one file would garble each other's lines.
 * Throws `AGENT_IN_USE` if a live process holds the lock, and `DATA_UNAVAILABLE` if no lock can be created.
 * @param path the path of the lock, next to the recording
 * @returns a function that releases the lock
 */
async function lockRecording(path: string) {
  const leave = await takeLock(path, goneSeconds * 1000).catch((error: unknown) => {
    throw dataUnavailable(`${path} cannot be written: ${messageOf(error)}; name another file`, { cause: error });
  });
  if (leave !== undefined) return leave;
  const holder = await holderOf(path);
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.hostname}`;
  throw new SwfError(
    'AGENT_IN_USE',
    `${who} is writing this recording; name another file, or remove ${path} if that process is gone`,
  );
}
