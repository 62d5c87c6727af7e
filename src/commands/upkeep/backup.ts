import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { backupStore } from '../../db/maintenance/backup.ts';
import { openReader } from '../../db/opening/open-reader.ts';
import { type Io, shellWord, storePath } from '../shared/io.ts';

/** `swf-mcp backup FILE`: copies the current store into another file, even during a run. */
export function backupCommand(io: Io, { file }: { file: string }) {
  using db = openReader(storePath(io));
  const target = resolve(io.workingFolder, file);
  backupStore(db, target);
  const megabytes = (statSync(target).size / 1e6).toFixed(1);
  io.out(
    `${target}: ${megabytes} MB, without data files; check it with "swf-mcp --db ${shellWord(file)} check --skip-files"\n`,
  );
}
