import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Writable } from 'node:stream';

import { namePattern } from '../../domain/names.ts';
import { configInvalid } from '../../lib/errors.ts';
import { type LogLevel, logLevels } from '../../lib/logger.ts';
import { escaped, printable } from '../../lib/printable.ts';
import { httpUrl } from '../../lib/secrets.ts';
import { nearest } from '../../lib/suggest.ts';
import type { ChildMessage, spawnChild, startDetached } from './start-process.ts';

/** The standard streams of a process. */
export interface Std {
  stdin: NodeJS.ReadableStream;
  stdout: Writable;
  stderr: Writable;
}

/** The part of the process that a command sees. Only `process-io.ts` creates it from the real process. */
export interface Io {
  env: NodeJS.ProcessEnv;
  workingFolder: string;
  /** The folder that holds the package's own `workflows/`. */
  packageFolder: string;
  version: string;
  nodeVersion: string;
  /** `--db`, if given. */
  db: string | undefined;
  out: (text: string) => void;
  err: (line: string) => void;
  /** The terminal behind stdout or stderr, if it can be painted on. */
  terminal(stream: 'out' | 'err'): Terminal | undefined;
  /** Makes the process continue even if its output is not read. */
  keepGoingWithoutOutput(): void;
  /** Makes the process use less memory from now on, for a server that runs beside other programs for weeks. */
  staysForLong(): void;
  /** Starts another process of this program, which outlives this one. */
  startSelf(args: readonly string[]): Promise<ReturnType<typeof startDetached>>;
  /** Calls back when the process that writes to our stdin has ended. */
  onParentEnd(callback: () => void): void;
  /** The words of the command that starts this program. */
  self(): string[];
  /** Starts another process of this program, which ends with this one and writes to the same stdout. */
  spawnSelf(args: readonly string[]): Promise<ReturnType<typeof spawnChild>>;
  /** Runs a system program without waiting for it to end. */
  runBeside(command: string, args: readonly string[]): Promise<void>;
  /** Sends a message to the swf-mcp that started this process, if one did. */
  tellParent(message: ChildMessage): void;
  /**
   * Calls back for each key pressed in the terminal behind stdin. Returns a function that stops this;
   * undefined if no user is there.
   */
  onKey(callback: (key: string) => void): (() => void) | undefined;
  /** Asks the person at the terminal a yes-or-no question. Undefined if no user is there. */
  ask(question: string): Promise<boolean> | undefined;
  /**
   * Calls back on SIGINT, SIGTERM and SIGHUP. A second signal calls `last` and ends the process at once; so
   * does the first SIGHUP if there is a `last`.
   */
  onInterrupt(callback: (signal: string) => void, last?: () => void): void;
}

/** Aborted when this process receives a signal that ends it. */
export function interruptionOf(io: Pick<Io, 'onInterrupt'>) {
  const interrupted = new AbortController();
  io.onInterrupt(() => interrupted.abort());
  return interrupted.signal;
}

export const exitCodes = {
  fine: 0,
  mendable: 1,
  usage: 2,
  workflowFailed: 3,
  stopped: 4,
  bug: 70,
  /** The exit code for an error that a restart may fix. */
  again: 75,
  /** The exit code for an error that no restart fixes. */
  lasting: 78,
  interrupted: 130,
} as const;

/** The store to use: `--db`, or else `SWF_DB`, or else the user's data folder. */
export function storePath({ db, env, workingFolder }: Io) {
  const given = db ?? nonEmpty(env['SWF_DB']);
  if (given !== undefined) return resolve(workingFolder, given);
  const dataHome =
    nonEmpty(env['XDG_DATA_HOME']) ?? join(known(homedir, 'home folder', '--db FILE'), '.local', 'share');
  return resolve(workingFolder, dataHome, 'swf-mcp', 'swf.db');
}

/** Whether the user named the store; otherwise the store is the one in the user's data folder. */
export const isStoreNamed = ({ db, env }: Io) => (db ?? nonEmpty(env['SWF_DB'])) !== undefined;

/**
 * A path that a person gave, resolved against the working folder. An empty path stays empty, and a final slash,
 * which marks a folder, stays.
 */
export const pathFrom = ({ workingFolder }: Io, path: string) =>
  path === '' ? '' : resolve(workingFolder, path) + (path.endsWith('/') && path !== '/' ? '/' : '');

/** The flags that choose a configuration and change it. */
export interface ConfigFlags {
  config: string | undefined;
  sets: string[];
}

export interface BrokerFlags extends ConfigFlags {
  broker: string | undefined;
}

/** Where to find configurations, and the file of overrides that the environment names. */
export const configPlaces = ({ workingFolder, packageFolder, env }: Io) => ({
  workingFolder,
  shippedFolder: join(packageFolder, 'workflows'),
  testbedFile: env['SWF_TESTBED_CONFIG'],
});

/** Converts flags to words for a command line; flags without a value are left out. */
export const wordsOfFlags = (flags: Readonly<Record<string, string | readonly string[] | undefined>>) =>
  Object.entries(flags).flatMap(([name, values = []]) => [values].flat().flatMap((value) => [`--${name}`, value]));

/** The `--db` option, repeated in a command for the user to type next. */
export const storeOption = ({ db }: Pick<Io, 'db'>) => (db === undefined ? '' : ` --db ${shellWord(db)}`);

/**
 * Matches commands about the content of this store. Other commands may be meant for other hosts, where the
 * store has another path.
 */
const ofStore =
  /"swf-mcp (?=(?:run|resume|continue|pause|stop|status|list|check|prune|backup|upgrade|alarms|watch)\b(?!" on its host))/g;

/**
 * Adds the store to the commands quoted in one of our sentences if the user named the store, so that the
 * commands work when pasted.
 * @param option as returned by `storeOption`
 */
export const withStore = (sentence: string, option: string) => sentence.replaceAll(ofStore, () => `"swf-mcp${option} `);

/**
 * Returns a function that applies `withStore` to a server's answers, whose readers may paste commands into any
 * terminal; returns undefined for the default store.
 */
export function namesStore(io: Io): ((sentence: string) => string) | undefined {
  if (!isStoreNamed(io)) return undefined;
  const db = storePath(io);
  return (sentence) => withStore(sentence, storeOption({ db }));
}

/** A word, quoted for a shell; in the syntax of bash and zsh if it has characters that a terminal may not show. */
export function shellWord(word: string) {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word)) return word;
  if (printable(word) === word) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  const quoted = word.replaceAll(/[\\']/g, String.raw`\$&`);
  return `$'${escaped(quoted, (code) => `\\U${code.toString(16).padStart(8, '0')}`)}'`;
}

/**
 * The user's name as used in ids: `SWF_USER`, or else the system's. Throws `CONFIG_INVALID` if it cannot be
 * part of an id.
 */
export function userName({ env }: Io) {
  const name = nonEmpty(env['SWF_USER']) ?? known(() => userInfo().username, 'name', 'SWF_USER');
  if (namePattern.test(name)) return name;
  throw configInvalid(
    `SWF_USER = ${JSON.stringify(name)} cannot be part of an id; use up to 64 letters, digits, ".", "_" and "-"`,
  );
}

/** The lowest level of log lines to record: `SWF_LOG_LEVEL`, else INFO. */
export const logLevel = (io: Io) => wordOf(io, 'SWF_LOG_LEVEL', Object.keys(logLevels) as LogLevel[], 'INFO');

/**
 * The value of an environment variable that must be one of a few words, or the default. Throws `CONFIG_INVALID`
 * for any other value.
 */
export function wordOf<Word extends string>({ env }: Io, variable: string, words: readonly Word[], usual: Word) {
  const text = nonEmpty(env[variable]) ?? usual;
  const word = words.find((one) => one === text.toUpperCase());
  if (word !== undefined) return word;
  throw configInvalid(
    `${variable} = ${JSON.stringify(text)} is not one of ${words.join(', ')}; the nearest is ${nearest(text.toUpperCase(), words, 1)[0]}`,
  );
}

/** Asks the system about the user. In containers, the system may have no entry for a user id. */
function known(ask: () => string, what: string, instead: string) {
  try {
    return ask();
  } catch (error) {
    throw configInvalid(`the system has no ${what} for this user; give ${instead}`, { cause: error });
  }
}

const nonEmpty = (value: string | undefined) => (value === undefined || value === '' ? undefined : value);

/** A terminal that can be painted on. Its size is read each time, since the window may be resized. */
export interface Terminal {
  columns(): number;
  rows(): number;
  /** The colour depth in bits; 1 means no colour. */
  colorDepth: number;
  write(text: string): void;
}

export const showCursor = '\u001B[?25h';

/**
 * The page's address for links, with a trailing slash; undefined if `SWF_PAGE_URL` is not set. Throws
 * `CONFIG_INVALID` if it is invalid.
 */
export function pageUrl({ env }: Pick<Io, 'env'>) {
  const given = nonEmpty(env['SWF_PAGE_URL']);
  if (given === undefined) return undefined;
  const url = httpUrl(given);
  if (url === undefined)
    throw configInvalid(
      'SWF_PAGE_URL is not a valid address; give http://HOST:PORT/ or https://HOST/PATH/, without a login',
    );
  return `${url.origin}${url.pathname.replace(/\/*$/, '/')}`;
}
