import { readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { goneSeconds } from '../domain/liveness.ts';
import { dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';
import { makeFolder } from '../lib/file-system.ts';
import { currentProcess, isAlive, type ProcessIdentity } from '../lib/process-identity.ts';
import { objectIn } from '../lib/read-json.ts';
import type { CaptureLine, GapLine } from '../observed/recording-lines.ts';
import { openRecording, type RecordingFile } from './recording-file.ts';

/** Size in bytes at which a folder's next file is started. */
const maxBytes = 1_000_000_000;

type Capture = Omit<CaptureLine, 'capture' | 't'>;

/**
 * Where a recording goes: a file, or a folder with a file per day, and another per gigabyte. `leave` lets
 * another observer write there. A name that ends with `/` is a folder, which is created. An existing file is
 * continued, and records that no observer listened meanwhile.
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
 * Begins a file.
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

function makeNamedFolder(name: string): void {
  try {
    makeFolder(name);
  } catch (error) {
    throw dataUnavailable(`${name} cannot be created: ${messageOf(error)}; name another folder`, { cause: error });
  }
}

/** One file per day, and a further one if that has grown too large. */
function dailyFiles(folder: string, begin: Begin, limit: number): (time: string) => Promise<RecordingFile> {
  let current: { file: RecordingFile; day: string; number: number } | undefined;
  const next = async (day: string, number: number, time: string, before?: string): Promise<RecordingFile> => {
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
   * Continues the newest file if it is of this day; else its last line shows since when no observer has
   * listened.
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
async function newestIn(folder: string): Promise<{ day: string; number: number } | undefined> {
  const files = (await readdir(folder)).flatMap((name) => {
    const [, day, number = '1'] = /^(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.jsonl\.gz$/.exec(name) ?? [];
    return day === undefined ? [] : [{ day, number: Number(number) }];
  });
  return files.toSorted((a, b) => (a.day === b.day ? a.number - b.number : a.day < b.day ? -1 : 1)).at(-1);
}

const nameOf = (day: string, number: number) => `${day}${number === 1 ? '' : `.${number}`}.jsonl.gz`;

/** The period in which no observer listened, since the last line of a continued recording. */
function pauseSince(last: string | undefined, until: string): GapLine | undefined {
  const from = last === undefined ? undefined : timeOf(last);
  return from === undefined || from >= until ? undefined : { gap: { from, until, reason: 'no observer was running' } };
}

function timeOf(line: string): string | undefined {
  const { t, until, gap } = objectIn(line) as { t?: unknown; until?: unknown; gap?: { until?: unknown } };
  const time = t ?? until ?? gap?.until;
  return typeof time === 'string' ? time : undefined;
}

/** How often the holder shows that it is alive, in milliseconds. */
const signMilliseconds = 10_000;

/**
 * Locks a recording for this process: two observers writing one file would tear each other's lines.
 * @param path of the lock, beside the recording
 * @returns how to release it Throws `AGENT_IN_USE` if a live process holds it, and `DATA_UNAVAILABLE` if no
 * lock can be made.
 */
async function lockRecording(path: string): Promise<() => Promise<void>> {
  for (let hasTried = false; ; hasTried = true) {
    try {
      await writeFile(path, JSON.stringify(currentProcess()), { flag: 'wx', mode: 0o600 });
      const touch = (): void => void utimes(path, new Date(), new Date()).catch(() => {});
      const sign = setInterval(touch, signMilliseconds).unref();
      return () => {
        clearInterval(sign);
        return unlink(path).catch(() => {});
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || hasTried)
        throw dataUnavailable(`${path} cannot be written: ${messageOf(error)}; name another file`, { cause: error });
    }
    await removeOfTheDead(path);
  }
}

async function removeOfTheDead(path: string): Promise<void> {
  const holder = await holderOf(path);
  // A process on another host, or on this one before a reboot, cannot be seen from here: the age of its lock
  // decides.
  if (holder !== undefined && (isAlive(holder) ?? (await isFresh(path))))
    throw new SwfError(
      'AGENT_IN_USE',
      `process ${holder.pid} on ${holder.hostname} writes this recording; name another file, or remove ${path} if that process is gone`,
    );
  await unlink(path).catch(() => {});
}

async function isFresh(path: string): Promise<boolean> {
  const signed = await stat(path).catch(() => undefined);
  return signed !== undefined && Date.now() - signed.mtimeMs < goneSeconds * 1000;
}

/** Undefined for a torn lock, as a crash of the machine may leave one. */
async function holderOf(path: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const { pid, pid_started, hostname } = objectIn(text) as Partial<ProcessIdentity>;
  return pid === undefined || pid_started === undefined || hostname === undefined
    ? undefined
    : { pid, pid_started, hostname };
}
