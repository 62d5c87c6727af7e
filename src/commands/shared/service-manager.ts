import { type ErrorCode, SwfError } from '../../lib/errors.ts';
import { exitCodes, type Io } from './io.ts';

/** Errors that a restart does not fix. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ARGUMENT_INVALID',
  'CONFIG_INVALID',
  'CONFIG_NOT_FOUND',
  'BROKER_REFUSED',
  'AGENT_IN_USE',
  'NAMESPACE_IN_USE',
]);

/**
 * Runs work to its end. Returns the exit code that tells a service manager whether a restart helps.
 * @param passing errors that go away by themselves here
 */
export async function asService(
  io: Io,
  work: () => Promise<void>,
  passing: readonly ErrorCode[] = [],
): Promise<number> {
  try {
    await work();
    return exitCodes.fine;
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    io.err(error.line);
    return lasting.has(error.code) && !passing.includes(error.code) ? exitCodes.lasting : exitCodes.again;
  }
}

/**
 * Notifies systemd that this process is ready, and then that it lives, if systemd asked for it (sd_notify(3)). Node.js has no sockets of that kind, so a
 * child runs `systemd-notify`: a unit needs `NotifyAccess=all`.
 */
export function tellReady(io: Io): void {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog } = io.env;
  if (socket === undefined || socket === '') return;
  const notify = (word: string): void => void io.runBeside('systemd-notify', [word]);
  notify('--ready');
  const microseconds = Number(watchdog);
  if (!(microseconds > 0)) return;
  setInterval(() => notify('WATCHDOG=1'), microseconds / 2000).unref();
}
