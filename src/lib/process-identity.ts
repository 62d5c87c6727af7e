import { readFileSync, readlinkSync } from 'node:fs';
import * as os from 'node:os';

import { tried } from './tried.ts';

/** A process of some host. Its start time distinguishes it from a later process with the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque: its start time, and where its pid is valid. Empty if the system does not report it. */
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

/** This boot of this machine; empty if the system does not report it. */
export const bootId = () => tried(() => readFileSync(bootIdPath, 'utf8').trim()) ?? '';

/** This machine, the same after a reboot (machine-id(5)); its name if the system does not report it. */
export const machineId = () => tried(() => readFileSync('/etc/machine-id', 'utf8').trim()) || here;

export function currentProcess(): ProcessIdentity {
  const started = startOf(process.pid);
  return { pid: process.pid, pid_started: started === undefined ? '' : `${started} ${pidsHere}`, hostname: here };
}

/**
 * Whether a process of this host is alive. Undefined for other hosts, and other pid namespaces, where only
 * heartbeats show it.
 */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.hostname !== here) return undefined;
  const [started, pids] = identity.pid_started.split(' ');
  if (pids !== undefined && pids !== pidsHere) return undefined;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(identity.pid);
  return now === undefined || started === '' || now === started;
}

export function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  // The group may be gone already.
  tried(() => process.kill(-leader, signal));
}

/** The fields of a process's stat line after the name in parentheses, from field 3 on (proc(5)). */
function statOf(pid: number) {
  const stat = tried(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The kernel's start time of a process: field 22. */
function startOf(pid: number) {
  const fields = statOf(pid);
  // A zombie has ended, even while its parent has not noticed.
  return fields?.[0] === 'Z' ? 'ended' : fields?.[19];
}

/**
 * The processor time that a process has used, fields 14 and 15 in hundredths of a second. Milliseconds;
 * undefined if the system does not report it.
 */
export function processorMilliseconds(pid: number): number | undefined {
  const fields = statOf(pid);
  return fields && 10 * (Number(fields[11]) + Number(fields[12]));
}
