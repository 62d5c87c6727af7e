import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import { withDeadline } from '../lib/deadline.ts';

/** `$0` is the mark. The script searches repeatedly because a process may start others during a search. */
const script = `
trap '' INT TERM HUP
groups=
while read -r change group; do
  case $change in
    began) groups="$groups $group" ;;
    ended) left=; for g in $groups; do [ "$g" = "$group" ] || left="$left $g"; done; groups=$left ;;
  esac
done
for g in $groups; do kill -s KILL -- "-$g"; done
for round in 1 2 3 4 5; do
  marked=$(grep -lszxF "$0" /proc/[0-9]*/environ | cut -d / -f 3)
  [ -n "$marked" ] || break
  kill -s KILL $marked
done
`;

const markName = 'SWF_PAYLOAD_OF';

/** How long the guard may take to end the remaining processes, in milliseconds. */
const patience = 3000;

/**
 * Starts a guard, which ends payload processes when the process that started them is gone, however it
 * ended. It is a small shell in its own session, which learns through a pipe which process groups are
 * alive. When the pipe closes, cleanly or because the writer was killed, the shell kills the remaining
 * groups and every other process with the mark (such as a payload's child that left its group). Finding the
 * mark needs Linux's /proc. Throws an `Error` if the system cannot start a process.
 * @param environment gives `sh` its PATH; nothing else is passed on, since an outer guard would then mistake
 * this one for a payload
 */
function startOrphanGuard(environment: NodeJS.ProcessEnv) {
  const mark = randomUUID();
  const child = spawn('sh', ['-c', script, `${markName}=${mark}`], {
    detached: true,
    env: { PATH: environment['PATH'] },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = once(child, 'close').catch(() => {});
  if (child.pid === undefined) throw new Error('the system does not allow the process that guards payloads to start');
  // Without the guard, payloads are still ended through their process groups, so there is nothing to report.
  child.stdin.on('error', () => {});
  child.unref();
  const tell = (change: 'began' | 'ended', pid: number) => void child.stdin.write(`${change} ${pid}\n`);
  return {
    /** The mark, which must be in the environment of every payload. */
    mark: { [markName]: mark },
    began: (pid: number) => tell('began', pid),
    ended: (pid: number) => tell('ended', pid),
    /** Ends the remaining processes. */
    async close() {
      child.ref();
      child.stdin.end();
      await withDeadline(gone, patience, undefined);
      child.unref();
    },
  };
}

export type OrphanGuard = ReturnType<typeof startOrphanGuard>;

/**
 * The environment and the guard that payload commands share.
 * @param environment the environment that payload commands inherit, without secrets
 */
export function createPayloadHost(environment: NodeJS.ProcessEnv) {
  let guard: OrphanGuard | undefined;
  return {
    environment,
    /** The guard for payload processes. The first call starts it. */
    guard: () => (guard ??= startOrphanGuard(environment)),
    /** Ends the payload processes that are still running. */
    async close() {
      await guard?.close();
      guard = undefined;
    },
  };
}

export type PayloadHost = ReturnType<typeof createPayloadHost>;
