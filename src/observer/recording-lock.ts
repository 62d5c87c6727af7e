import { readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';

import { goneSeconds } from '../domain/liveness.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import { currentProcess, isAlive, type ProcessIdentity } from '../lib/process-identity.ts';

/** How often the holder shows that it lives, in milliseconds. */
const signMilliseconds = 10_000;

/**
 * Keeps a recording for this process: two observers that wrote one file would tear each other's lines.
 * @param path of the lock, beside the recording
 * @returns how to let go
 * Throws `AGENT_IN_USE` where a living process has it, and `DATA_UNAVAILABLE` where none can be made.
 */
export async function lockRecording(path: string): Promise<() => Promise<void>> {
  for (let hasTried = false; ; hasTried = true) {
    try {
      await writeFile(path, JSON.stringify(currentProcess()), { flag: 'wx', mode: 0o600 });
      const sign = setInterval(
        () => void utimes(path, new Date(), new Date()).catch(() => {}),
        signMilliseconds,
      ).unref();
      return () => {
        clearInterval(sign);
        return unlink(path).catch(() => {});
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || hasTried)
        throw new SwfError('DATA_UNAVAILABLE', `${path} cannot be written: ${messageOf(error)}; name another file`, {
          cause: error,
        });
    }
    await removeOfTheDead(path);
  }
}

async function removeOfTheDead(path: string): Promise<void> {
  const holder = await holderOf(path);
  // One of another host, or of this one before it was started again, cannot be seen from here: its lock tells by its age.
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

/** Undefined for a lock that is torn, as the end of a machine may leave one. */
async function holderOf(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const { pid, pid_started, hostname } = JSON.parse(await readFile(path, 'utf8')) as Partial<ProcessIdentity>;
    return pid === undefined || pid_started === undefined || hostname === undefined
      ? undefined
      : { pid, pid_started, hostname };
  } catch {
    return undefined;
  }
}
