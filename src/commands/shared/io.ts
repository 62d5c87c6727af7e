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

/** The part of its process that a command sees. Only `process-io.ts` makes one from the real thing. */
export interface Io {
  env: NodeJS.ProcessEnv;
  workingFolder: string;
  /** The folder that holds the package's own `workflows/`. */
  packageFolder: string;
  version: string;
  nodeVersion: string;
  /** `--db`, if given. */
  db: string | undefined;
  out(text: string): void;
  err(line: string): void;
  /** The terminal behind stdout or stderr, if it can be painted on. */
  terminal(stream: 'out' | 'err'): Terminal | undefined;
  /** Makes the process continue even if its output is not read. */
  keepGoingWithoutOutput(): void;
  /** A server runs beside other programs for weeks, and takes less memory from now on. */
  staysForLong(): void;
  /** Starts this program once more, as a process that outlives this one. */
  startSelf(args: readonly string[]): Promise<ReturnType<typeof startDetached>>;
  /** Calls back when the process at the other end of stdin has ended. */
  onParentEnd(callback: () => void): void;
  /** The words that start this program. */
  self(): string[];
  /** Starts this program once more, as a process that ends with this one and writes where this one writes. */
  spawnSelf(args: readonly string[]): Promise<ReturnType<typeof spawnChild>>;
  /** Runs a program of the system without waiting for its end. */
  runBeside(command: string, args: readonly string[]): Promise<void>;
  /** Sends a message to the swf-mcp that started this process, if one did. */
  tellParent(message: ChildMessage): void;
  /**
   * Calls back at each key pressed in the terminal behind stdin. Returns a function that ends that; undefined
   * without a user there.
   */
  onKey(callback: (key: string) => void): (() => void) | undefined;
  /** Asks a person at the terminal, who answers y or not. Undefined without a user there. */
  ask(question: string): Promise<boolean> | undefined;
  /**
   * Calls back at SIGINT, SIGTERM and SIGHUP. A second signal ends the process at once, after `last`; so does
   * the first SIGHUP if there is a `last`.
   */
  onInterrupt(callback: (signal: string) => void, last?: () => void): void;
}

/** Aborted at a signal that ends this process. */
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
  /** The exit code of an error that a restart may fix. */
  again: 75,
  /** The exit code of an error that no restart fixes. */
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

/** Whether the user named the store; otherwise it is the one in the user's data folder. */
export const isStoreNamed = ({ db, env }: Io) => (db ?? nonEmpty(env['SWF_DB'])) !== undefined;

/**
 * A path that a person gave, seen from the working folder. An empty one stays empty, and a final slash, which
 * names a folder, stays.
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

/** Where to find configurations, and the environment's file of overrides. */
export const configPlaces = ({ workingFolder, packageFolder, env }: Io) => ({
  workingFolder,
  shippedFolder: join(packageFolder, 'workflows'),
  testbedFile: env['SWF_TESTBED_CONFIG'],
});

/** The words of flags on a command line, without those that have no value. */
export const wordsOfFlags = (flags: Readonly<Record<string, string | readonly string[] | undefined>>) =>
  Object.entries(flags).flatMap(([name, values = []]) => [values].flat().flatMap((value) => [`--${name}`, value]));

/** `--db` again, for a command to type next. */
export const storeOption = ({ db }: Pick<Io, 'db'>) => (db === undefined ? '' : ` --db ${shellWord(db)}`);

/**
 * Commands about what is in this store. Others are for other hosts too, where the store has another place.
 */
const ofStore =
  /"swf-mcp (?=(?:run|resume|continue|pause|stop|status|list|check|prune|backup|upgrade|alarms|watch)\b(?!" on its host))/g;

/**
 * A sentence of ours whose quoted commands name the store if the user named it, so that they work when
 * pasted.
 * @param option as returned by `storeOption`
 */
export const withStore = (sentence: string, option: string) => sentence.replaceAll(ofStore, () => `"swf-mcp${option} `);

/**
 * The same for the answers of servers, whose clients paste them into any terminal: how to make a sentence
 * name the store; undefined if it is the default one.
 */
export function namesStore(io: Io): ((sentence: string) => string) | undefined {
  if (!isStoreNamed(io)) return undefined;
  const db = storePath(io);
  return (sentence) => withStore(sentence, storeOption({ db }));
}

/** A word, quoted for a shell; for bash or zsh if it has characters that a terminal may not show. */
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
export function userName({ env }: Io): string {
  const name = nonEmpty(env['SWF_USER']) ?? known(() => userInfo().username, 'name', 'SWF_USER');
  if (namePattern.test(name)) return name;
  throw configInvalid(
    `SWF_USER = ${JSON.stringify(name)} cannot be part of an id; use up to 64 letters, digits, ".", "_" and "-"`,
  );
}

/** The lowest level of recorded log lines: `SWF_LOG_LEVEL`, else INFO. */
export const logLevel = (io: Io) => wordOf(io, 'SWF_LOG_LEVEL', Object.keys(logLevels) as LogLevel[], 'INFO');

/** A word of a closed list in the environment, or the usual one. Throws `CONFIG_INVALID` for any other. */
export function wordOf<Word extends string>({ env }: Io, variable: string, words: readonly Word[], usual: Word) {
  const text = nonEmpty(env[variable]) ?? usual;
  const word = words.find((one) => one === text.toUpperCase());
  if (word !== undefined) return word;
  throw configInvalid(
    `${variable} = ${JSON.stringify(text)} is none of ${words.join(', ')}; the nearest is ${nearest(text.toUpperCase(), words, 1)[0]}`,
  );
}

/** Asks the system about the user. A user id without an entry, as in containers, is unknown to it. */
function known(ask: () => string, what: string, instead: string) {
  try {
    return ask();
  } catch (error) {
    throw configInvalid(`the system has no ${what} for this user; give ${instead}`, { cause: error });
  }
}

const nonEmpty = (value: string | undefined) => (value === undefined || value === '' ? undefined : value);

/** A terminal that text is painted on. Sizes are read each time: a window may be resized. */
export interface Terminal {
  columns(): number;
  rows(): number;
  /** Bits of colour; 1 means no colour. */
  colorDepth: number;
  write(text: string): void;
}

export const showCursor = '\u001B[?25h';

/**
 * The page's address for links in texts, with a trailing slash; undefined if `SWF_PAGE_URL` is not set.
 * Throws `CONFIG_INVALID` if it is invalid.
 */
export function pageUrl({ env }: Pick<Io, 'env'>) {
  const given = nonEmpty(env['SWF_PAGE_URL']);
  if (given === undefined) return undefined;
  const url = httpUrl(given);
  if (url === undefined)
    throw configInvalid(
      'SWF_PAGE_URL is not an address of the page; give http://HOST:PORT/ or https://HOST/PATH/, without a login in it',
    );
  return `${url.origin}${url.pathname.replace(/\/*$/, '/')}`;
}
