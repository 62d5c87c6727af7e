import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';

import {
  oldestStart,
  openRemovals,
  type RemovalRule,
  removableExecutions,
  removeExecution,
  removeStrays,
} from '../db/prune.ts';
import { preparer } from '../db/statements.ts';
import { openReader, openStore, type Store } from '../db/store.ts';
import { messageOf, SwfError } from '../errors.ts';
import { utcNow } from '../time.ts';
import { exitCodes, type Io, storePath } from './io.ts';

export interface PruneArguments {
  /** Executions that stay, the newest. */
  keep: number | undefined;
  /** In seconds. */
  olderThan: number | undefined;
  dryRun: boolean;
}

/** `swf-mcp prune`: removes executions that have ended, whole, with their data files. Returns the exit code. */
export async function pruneCommand(io: Io, { keep, olderThan, dryRun }: PruneArguments): Promise<number> {
  const path = storePath(io);
  // A mistyped --db must not leave a new store behind.
  if (dryRun || !existsSync(path)) openReader(path).close();
  const endedBefore = olderThan === undefined ? undefined : new Date(Date.now() - olderThan * 1000).toISOString();
  const store = await openStore(path);
  try {
    return await prune(io, store, { keep, endedBefore }, dryRun);
  } finally {
    store.close();
  }
}

async function prune(io: Io, store: Store, rule: RemovalRule, dryRun: boolean): Promise<number> {
  const sql = preparer(store.db);
  const found = removableExecutions(sql, rule);
  if (dryRun) {
    for (const { execution_id, status, end_time, data_folder } of found)
      io.out(
        `would remove ${execution_id}, ${status} ${end_time ?? ''}${data_folder === null ? '' : `, ${data_folder}`}\n`,
      );
    io.out(`${found.length} ${found.length === 1 ? 'execution' : 'executions'} would be removed\n`);
    return exitCodes.fine;
  }
  const left = openRemovals(sql);
  for (const one of [...left, ...found]) {
    await removeExecution(store, one, removeData);
    io.out(`removed ${one.execution_id}\n`);
  }
  // What belongs to no execution is of use beside those of its time.
  const oldest = [oldestStart(sql) ?? utcNow(), rule.endedBefore ?? '9999'].toSorted()[0] as string;
  const strays = await removeStrays(store, oldest);
  const count = left.length + found.length;
  io.out(
    `${count} ${count === 1 ? 'execution' : 'executions'} removed${strays === 0 ? '' : `, and ${strays} messages and log lines of none`}; the room in the store is used again, and "swf-mcp backup" writes a smaller copy\n`,
  );
  return exitCodes.fine;
}

async function removeData(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw new SwfError(
      'DATA_UNAVAILABLE',
      `the data folder ${folder} cannot be removed (${messageOf(error)}); mend its rights and prune once more`,
      { cause: error },
    );
  }
}
