import { readFileSync } from 'node:fs';

const [interrupt, suspend] = ['\u0003', '\u001A'];

/** Whether this process is in the foreground of its terminal. One in the background that touched the terminal would be stopped by the system. */
function isInForeground(): boolean {
  try {
    // Behind the name, which may have spaces: state, parent, group, session, terminal, group in the foreground.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return false;
  }
}

const isPerson = (): boolean => process.stdin.isTTY && process.env['TERM'] !== 'dumb' && isInForeground();

/** Calls back at each key, at once and unseen. Ctrl-C and Ctrl-Z do what they always do. */
export function callAtKeys(callback: (key: string) => void): (() => void) | undefined {
  if (!isPerson()) return undefined;
  const { stdin } = process;
  const setRaw = (isRaw: boolean): void => {
    if (isInForeground()) stdin.setRawMode(isRaw);
  };
  const onData = (data: Buffer): void => {
    for (const key of data.toString('utf8')) {
      if (key === interrupt) process.kill(process.pid, 'SIGINT');
      else if (key === suspend) {
        setRaw(false);
        process.kill(process.pid, 'SIGTSTP');
      } else callback(key);
    }
  };
  const onContinue = (): void => setRaw(true);
  const giveBack = (): void => setRaw(false);
  setRaw(true);
  stdin.on('data', onData);
  process.on('SIGCONT', onContinue);
  process.on('exit', giveBack);
  return () => {
    stdin.off('data', onData);
    stdin.pause();
    process.off('SIGCONT', onContinue);
    process.off('exit', giveBack);
    giveBack();
  };
}

/** Asks on standard error, so that what is printed on standard output stays what it is. */
export function askPerson(question: string): Promise<boolean> | undefined {
  if (!isPerson()) return undefined;
  return answerTo(question);
}

async function answerTo(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} y/N `)).trim());
  } catch {
    // Ctrl-C or the end of the input is no yes.
    return false;
  } finally {
    lines.close();
  }
}
