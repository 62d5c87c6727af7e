import { readFileSync, readlinkSync } from 'node:fs';
import * as os from 'node:os';

import { hasCode } from './errors.ts';
import { tried } from './tried.ts';

/** A process on a host. Its start time distinguishes it from a later process with the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque: the process's start time, and where its pid is valid. Empty if the system does not report them. */
  pid_started: string;
  hostname: string;
}

/**
 * Read once: a system call per lookup would cost more than the lookup. A renamed host keeps its old name for
 * this process.
 */
const here = os.hostname();

/** See random(4). */
const bootIdPath = '/proc/sys/kernel/random/boot_id';

/**
 * Where a pid is valid: this boot of this machine, and this pid namespace. Two containers may have the same
 * host name, and neither sees the other's processes. Empty if the system does not report it.
 */
const pidsHere = [tried(() => readlinkSync('/proc/self/ns/pid')), tried(() => readFileSync(bootIdPath, 'utf8').trim())]
  .filter((part) => part !== undefined)
  .join('/');

export const hostname = () => here;

/** Identifies this boot of this machine; empty if the system does not report it. */
export const bootId = () => tried(() => readFileSync(bootIdPath, 'utf8').trim()) ?? '';

/**
 * Identifies this machine, even after a reboot (machine-id(5)); the host name if the system reports no machine
 * id.
 */
export const machineId = () => tried(() => readFileSync('/etc/machine-id', 'utf8').trim()) || here;

export function currentProcess(): ProcessIdentity {
  const started = startOf(process.pid);
  return { pid: process.pid, pid_started: started === undefined ? '' : `${started} ${pidsHere}`, hostname: here };
}

/**
 * Whether a process on this host is alive. Undefined for other hosts and other pid namespaces, where only
 * heartbeats can show that.
 */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.hostname !== here) return undefined;
  const [started, pids] = identity.pid_started.split(' ');
  if (pids !== undefined && pids !== pidsHere) return undefined;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if (!hasCode(error, 'EPERM')) return false;
  }
  const now = startOf(identity.pid);
  return now === undefined || started === '' || now === started;
}

export function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL') {
  // The group may already be gone.
  tried(() => process.kill(-leader, signal));
}

/** The fields of a process's stat line after the name in parentheses, from field 3 on (proc(5)). */
function statOf(pid: number) {
  const stat = tried(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** A process's start time according to the kernel: field 22 of its stat line. */
function startOf(pid: number) {
  const fields = statOf(pid);
  // A zombie has ended, even if its parent has not noticed yet.
  return fields?.[0] === 'Z' ? 'ended' : fields?.[19];
}

/**
 * The processor time that a process has used, in milliseconds; undefined if the system does not report it.
 * Fields 14 and 15 of its stat line are in hundredths of a second.
 */
export function processorMilliseconds(pid: number) {
  const fields = statOf(pid);
  return fields && 10 * (Number(fields[11]) + Number(fields[12]));
}
