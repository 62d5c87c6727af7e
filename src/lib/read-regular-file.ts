import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** The largest size of a configuration, certificate or token list, in bytes. */
const most = 4_000_000;

/**
 * The content and mode of a small file. Does not wait for a pipe in its place, or read a device endlessly. Throws an `Error` that says what is there
 * instead, and the system's errors.
 */
export function readRegularFile(path: string): { content: Buffer; mode: number } {
  if (path === '') throw new Error('no file is named');
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error(stats.isDirectory() ? 'it is a folder' : 'it is no regular file');
    if (stats.size > most) throw new Error(`it has ${stats.size} bytes, more than ${most}`);
    return { content: readFileSync(file), mode: stats.mode };
  } finally {
    closeSync(file);
  }
}
