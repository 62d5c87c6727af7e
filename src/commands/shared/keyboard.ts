import { readFileSync } from 'node:fs';

import { tried } from '../../lib/tried.ts';

const escape = '\u001B';

/** Keys that the system would handle if they were not read one by one. */
const signals: Record<string, NodeJS.Signals> = { '\u0003': 'SIGINT', '\u001C': 'SIGQUIT', '\u001A': 'SIGTSTP' };

/** How often to check whether the process is in the foreground, in milliseconds. */
const lookMilliseconds = 500;

/** Whether this process is in the foreground of its terminal. The system would stop a background process that touched the terminal. */
const isInForeground = (): boolean =>
  tried(() => {
    // After the name, which may have spaces: state, parent, group, session, terminal, group in the foreground.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  }) ?? false;

const isPerson = (): boolean => process.stdin.isTTY && process.env['TERM'] !== 'dumb' && isInForeground();

/** Calls back at each key, at once and without echo. Ctrl-C and Ctrl-Z work as always. */
export function callAtKeys(callback: (key: string) => void): (() => void) | undefined {
  if (!isPerson()) return undefined;
  const { stdin } = process;
  const setRaw = (isRaw: boolean): void => {
    if (isInForeground()) stdin.setRawMode(isRaw);
  };
  const onData = (data: Buffer): void => {
    const typed = data.toString('utf8');
    // Arrows and function keys come as several characters, which are not keys themselves.
    if (typed.startsWith(escape)) return;
    for (const key of typed) {
      const signal = signals[key];
      if (signal === 'SIGTSTP') leaveTerminal();
      if (signal === undefined) callback(key);
      else process.kill(process.pid, signal);
    }
  };
  // In the background the terminal is somebody else's: reading from it would stop the process.
  const leaveTerminal = (): void => {
    setRaw(false);
    stdin.pause();
  };
  const onContinue = (): void => {
    if (!isInForeground()) return;
    setRaw(true);
    stdin.resume();
  };
  const looking = setInterval(() => {
    if (isInForeground() === !stdin.isPaused()) return;
    if (stdin.isPaused()) onContinue();
    else stdin.pause();
  }, lookMilliseconds);
  looking.unref();
  const giveBack = (): void => setRaw(false);
  setRaw(true);
  stdin.on('data', onData);
  process.on('SIGCONT', onContinue);
  process.on('exit', giveBack);
  return () => {
    clearInterval(looking);
    stdin.off('data', onData);
    stdin.pause();
    process.off('SIGCONT', onContinue);
    process.off('exit', giveBack);
    giveBack();
  };
}

/** Asks on standard error, so that standard output stays unchanged. */
export const askPerson = (question: string): Promise<boolean> | undefined =>
  isPerson() ? answerTo(question) : undefined;

async function answerTo(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} y/N `)).trim());
  } catch {
    // Ctrl-C or the end of the input does not mean yes.
    return false;
  } finally {
    lines.close();
  }
}
