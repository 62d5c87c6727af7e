import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process of some host. The time of its start tells it from a later process with the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque; empty where the system does not tell it. */
  pid_started: string;
  hostname: string;
}

/** Asked once: a system call for each look would cost more than the look. A host that is renamed keeps its old name for this process. */
const here = hostname();

export function currentProcess(): ProcessIdentity {
  return { pid: process.pid, pid_started: startOf(process.pid) ?? '', hostname: here };
}

/** Whether a process of this host is alive. Undefined for other hosts, where only heartbeats tell. */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.hostname !== here) return undefined;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: the process is there and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const started = startOf(identity.pid);
  return started === undefined || identity.pid_started === '' || started === identity.pid_started;
}

/** The kernel's start time of a process: field 22 of its stat line, after the name in parentheses (proc(5)). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended, even while its parent has not noticed.
    if (fields[0] === 'Z') return 'ended';
    return fields[19];
  } catch {
    return undefined;
  }
}
