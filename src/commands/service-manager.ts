import type { Io } from './io.ts';

/**
 * Tells systemd that this process is ready, and then that it lives, where systemd has asked for it (sd_notify(3)). Node.js has no sockets of that kind, so
 * `systemd-notify` says it, as a child: a unit needs `NotifyAccess=all`.
 */
export function tellReady(io: Io): void {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog } = io.env;
  if (socket === undefined || socket === '') return;
  const notify = (word: string): void => void io.runBeside('systemd-notify', ['--no-block', word]);
  notify('--ready');
  const microseconds = Number(watchdog);
  if (!(microseconds > 0)) return;
  setInterval(() => notify('WATCHDOG=1'), microseconds / 2000).unref();
}
