import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';

import type { PayloadName } from '../domain/slice-returns.ts';
import { sha256 } from '../lib/sha256.ts';

/**
 * A payload command by its name and a digest: SHA-256 of the command as JSON, and of the bytes of each word that is a readable file (contract
 * §9). Two hosts whose digests agree run the same program on a slice.
 */
export function payloadNameOf(command: readonly string[], name?: string): Required<PayloadName> {
  const digest = sha256().update(JSON.stringify(command));
  for (const word of command) if (word.includes('/')) addContent(word, (chunk) => digest.update(chunk));
  return { name: name ?? basename(command[0] ?? ''), digest: `sha256:${digest.digest('hex')}` };
}

/** Whether a worker's payload is the one that a slice asks for. */
export const isSamePayload = (asked: PayloadName, own: PayloadName): boolean =>
  asked.name === own.name && (asked.digest === undefined || asked.digest === own.digest);

const chunkBytes = 1_048_576;

/** A word that is no readable file adds nothing. */
function addContent(path: string, add: (chunk: Buffer) => void): void {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) return;
    const chunk = Buffer.alloc(chunkBytes);
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) add(chunk.subarray(0, size));
  } catch {
    // A word may look like a path and be none.
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
