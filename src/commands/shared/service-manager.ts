import { type ErrorCode, hasCode, SwfError } from '../../lib/errors.ts';
import { exitCodes, type Io } from './io.ts';

/** The codes of errors that restarting does not fix. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ARGUMENT_INVALID',
  'CONFIG_INVALID',
  'CONFIG_NOT_FOUND',
  'BROKER_REFUSED',
  'AGENT_IN_USE',
  'NAMESPACE_IN_USE',
]);

interface ServiceOptions {
  /** Whether the service ends, as on SIGTERM, once the process that started it has ended. */
  untilParentEnds?: boolean;
  /** The codes of errors that are transient for this service. */
  passing?: readonly ErrorCode[];
  /** The line to print about work still in progress when a signal arrives. */
  finishing?: string;
}

/**
 * Runs `work` until it ends or a signal arrives. Returns the exit code, which tells a service manager whether a
 * restart helps.
 */
export async function asService(io: Io, work: (signal: AbortSignal) => Promise<void>, options: ServiceOptions = {}) {
  const { untilParentEnds = false, passing = [], finishing } = options;
  io.keepGoingWithoutOutput();
  const interrupted = new AbortController();
  io.onInterrupt((name) => {
    if (finishing !== undefined) io.err(`${name}: ${finishing}; send it again to exit immediately`);
    interrupted.abort();
  });
  if (untilParentEnds) io.onParentEnd(() => interrupted.abort());
  try {
    await work(interrupted.signal);
    return exitCodes.fine;
  } catch (thrown) {
    const error = untilParentEnds ? asPassing(thrown) : thrown;
    if (!(error instanceof SwfError)) throw error;
    io.err(error.line);
    return lasting.has(error.code) && !passing.includes(error.code) ? exitCodes.lasting : exitCodes.again;
  }
}

/** A port that is taken may belong to the previous process, which is still ending. */
function asPassing(error: unknown) {
  const isTaken = error instanceof SwfError && hasCode(error.cause, 'EADDRINUSE');
  return isTaken ? new SwfError('AGENT_IN_USE', `${error.message}, or wait for the previous agent to exit`) : error;
}

/**
 * Notifies systemd that this process is ready, and then that it is alive, if systemd requested that (sd_notify(3)).
 * Node.js cannot use such sockets, so a child runs `systemd-notify`; a unit therefore needs `NotifyAccess=all`.
 */
export function tellReady(io: Io) {
  const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: watchdog } = io.env;
  if (socket === '') return;
  const notify = (word: string) => void io.runBeside('systemd-notify', [word]);
  notify('--ready');
  const microseconds = Number(watchdog);
  if (!(microseconds > 0)) return;
  setInterval(() => notify('WATCHDOG=1'), microseconds / 2000).unref();
}
