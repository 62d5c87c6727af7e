import { readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';

import { goneSeconds } from '../domain/liveness.ts';
import { dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';
import { currentProcess, isAlive, type ProcessIdentity } from '../lib/process-identity.ts';
import { objectIn } from '../lib/read-json.ts';

/** How often the holder shows that it is alive, in milliseconds. */
const signMilliseconds = 10_000;

/**
 * Locks a recording for this process: two observers writing one file would tear each other's lines.
 * @param path of the lock, beside the recording
 * @returns how to release it
 * Throws `AGENT_IN_USE` if a living process holds it, and `DATA_UNAVAILABLE` if no lock can be made.
 */
export async function lockRecording(path: string): Promise<() => Promise<void>> {
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
  // A process on another host, or on this one before a reboot, cannot be seen from here: the age of its lock decides.
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
