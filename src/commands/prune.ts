import { realpathSync } from 'node:fs';

import { homeOf } from '../db/log/store-identity.ts';
import {
  oldestStart,
  type RemovalRule,
  removableExecutions,
  removeExecution,
  runningCount,
} from '../db/maintenance/prune.ts';
import { openRemovals, type Removal } from '../db/maintenance/removals.ts';
import { removeStrays } from '../db/maintenance/strays.ts';
import { openReader } from '../db/sqlite/open-reader.ts';
import { openExistingStore } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { Store } from '../db/sqlite/store.ts';
import { SwfError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { isAlive } from '../lib/process-identity.ts';
import { utcNow } from '../lib/time.ts';
import { removeDataFolder } from '../runtime/remove-data.ts';
import { exitCodes, type Io, storeOptions, storePath } from './io.ts';

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
  const endedBefore = olderThan === undefined ? undefined : new Date(Date.now() - olderThan * 1000).toISOString();
  const rule = { keep, endedBefore };
  if (dryRun) {
    tellRemovable(io, path, rule);
    return exitCodes.fine;
  }
  const store = await openExistingStore(path, { ...storeOptions(io), commitsApart: 1 });
  try {
    await prune(io, store, rule);
  } finally {
    store.close();
  }
  return exitCodes.fine;
}

function tellRemovable(io: Io, path: string, rule: RemovalRule): void {
  const db = openReader(path);
  const open = openRemovals(preparer(db));
  const found = removableExecutions(preparer(db), rule, isAlive);
  db.close();
  const folderOf = ({ data_folder }: Removal): string =>
    data_folder === null ? '' : `, with the folder ${data_folder}`;
  for (const one of open) io.out(`${printable(`would go on removing ${one.execution_id}${folderOf(one)}`)}\n`);
  for (const one of found) {
    const { execution_id, status, end_time } = one;
    io.out(`${printable(`would remove ${execution_id}, ${status} ${end_time ?? ''}${folderOf(one)}`)}\n`);
  }
  io.out(`${counted(found.length)} would be removed\n`);
}

async function prune(io: Io, store: Store, rule: RemovalRule): Promise<void> {
  const { sql } = store;
  const home = homeOf(sql);
  const isCopy = home !== undefined && home !== realpathSync(store.path);
  const failures: SwfError[] = [];
  /** A copy describes data files that are not its own, so it must not remove them. */
  const removeData = async (folder: string, executionId: string): Promise<string> => {
    const left = isCopy
      ? `it belongs to the store ${home}, of which this one is a copy`
      : (await removeDataFolder(folder, executionId)).left;
    if (left === undefined) return `, with the folder ${folder}`;
    io.err(`WARNING the folder ${folder} is left: ${left}`);
    return '';
  };
  const removable = [...openRemovals(sql), ...removableExecutions(sql, rule, isAlive)];
  for (const one of removable) {
    try {
      let folder = '';
      await removeExecution(store, one, async (...of) => {
        folder = await removeData(...of);
      });
      io.out(`${printable(`removed ${one.execution_id}${folder}`)}\n`);
    } catch (error) {
      // One folder that cannot be removed must not keep the others.
      if (!(error instanceof SwfError) || error.code !== 'DATA_UNAVAILABLE') throw error;
      failures.push(error);
    }
  }
  // Messages and lines of no execution are of use beside the executions of their time.
  const oldest = [oldestStart(sql) ?? utcNow(), rule.endedBefore ?? '9999'].toSorted()[0] as string;
  const strays = await removeStrays(store, oldest);
  const removed = removable.length - failures.length;
  io.out(
    `${counted(removed)} removed${strays === 0 ? '' : `, and ${strays} messages and log lines of none`}${removed === 0 ? '' : '; the room in the store is used again, and "swf-mcp backup" writes a smaller copy'}\n`,
  );
  const running = runningCount(sql);
  if (running > 0)
    io.out(
      `${counted(running)} said to run ${running === 1 ? 'stays' : 'stay'}; stop or resume what was interrupted\n`,
    );
  if (failures[0] !== undefined) throw failures[0];
}

const counted = (executions: number): string => `${executions} ${executions === 1 ? 'execution' : 'executions'}`;
