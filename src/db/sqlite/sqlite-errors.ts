import { type ErrorCode, messageOf, SwfError } from '../../lib/errors.ts';

/** Translates an error about a store into an `SwfError`. Returns any other error unchanged. */
export function asSwfError(error: unknown, path: string) {
  if (error instanceof SwfError) return error;
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  const isIncomplete = code === 'SQLITE_ERROR' && /^no such (?:table|column|index|view)/.test(messageOf(error));
  const known = isIncomplete ? incomplete : storeErrors.find(([prefix]) => code.startsWith(prefix));
  if (known === undefined) return error;
  const [, swfCode, sentence] = known;
  return new SwfError(swfCode, `the store ${path} ${sentence} (${messageOf(error)})`, { cause: error });
}

type StoreError = [prefix: string, code: ErrorCode, sentence: string];

/** The error for a store whose tables were changed by hand. */
const incomplete: StoreError = [
  'SQLITE_ERROR',
  'STORE_CORRUPT',
  'lacks part of its schema; examine it with "swf-mcp check", and restore it from a backup',
];

const storeErrors: StoreError[] = [
  ['SQLITE_NOTADB', 'STORE_UNAVAILABLE', 'is not a swf-mcp store; name another file with --db'],
  ['SQLITE_CORRUPT', 'STORE_CORRUPT', 'is damaged; restore it from a backup, or name another file with --db'],
  [
    'SQLITE_READONLY',
    'STORE_READ_ONLY',
    'cannot be written; make the file and its folder writable, or name another file with --db',
  ],
  ['SQLITE_FULL', 'STORE_UNAVAILABLE', 'has no space left on its disk; free some, then resume, or try again'],
  ['SQLITE_BUSY', 'STORE_UNAVAILABLE', 'is locked by another program; try again'],
  ['SQLITE_CANTOPEN', 'STORE_UNAVAILABLE', 'cannot be opened; check the permissions of the file and its folder'],
  ['SQLITE_IOERR', 'STORE_UNAVAILABLE', 'cannot be read or written; check its disk'],
  ['EACCES', 'STORE_UNAVAILABLE', 'cannot be opened; check the permissions of the file and its folder'],
  ['EPERM', 'STORE_UNAVAILABLE', 'cannot be opened; check the permissions of the file and its folder'],
  ['EROFS', 'STORE_READ_ONLY', 'is on a read-only file system; name another file with --db'],
  ['ENOTDIR', 'STORE_UNAVAILABLE', 'has a file in its path where a folder should be; name another file with --db'],
  ['EISDIR', 'STORE_UNAVAILABLE', 'is a folder; name a store file with --db'],
  ['ENOENT', 'STORE_UNAVAILABLE', 'cannot be created there; name another file with --db'],
  ['EEXIST', 'STORE_UNAVAILABLE', 'has a file in its path where a folder should be; name another file with --db'],
];
