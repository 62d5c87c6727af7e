import { statSync } from 'node:fs';
import { join } from 'node:path';

import { type DataFiles, noDataFiles } from '../files/data-files.ts';
import { createDataFiles } from '../files/disk-data-files.ts';
import { isMarked } from '../files/store-marker.ts';

/** Where a file of an execution is that a message tells of. */
export interface FilePlace {
  execution_id: string;
  /** Left out, nothing was written. */
  file_url: string | undefined;
  /** The recorder's store; undefined where nobody says. */
  storeId: string | undefined;
}

export type Access = { files: DataFiles; folder: string | undefined } | { obstacle: string };

/** Executions whose files are kept open. */
const mostKept = 200;

/**
 * The data files of a recorder, seen from this host (contract §9). A URL says where its writer has a file; here it is looked for by its name in
 * `[data] dir`, and only where that folder is marked as the recorder's.
 */
export class DataAccess {
  readonly #dir: string | undefined;
  readonly #files = new Map<string, DataFiles>();

  constructor(dir: string | undefined) {
    this.#dir = dir;
  }

  of({ execution_id, file_url, storeId }: FilePlace): Access {
    if (file_url === undefined) return { files: noDataFiles, folder: undefined };
    const obstacle = this.obstacleTo(file_url, storeId);
    if (obstacle !== undefined) return { obstacle };
    const folder = join(this.#dir ?? '', execution_id);
    const files = this.#files.get(folder) ?? createDataFiles(folder);
    if (this.#files.size >= mostKept) this.#files.clear();
    this.#files.set(folder, files);
    return { files, folder };
  }

  /** Why files like this one cannot be had here; undefined where they can. */
  obstacleTo(file_url: string, storeId: string | undefined): string | undefined {
    const dir = this.#dir;
    if (!file_url.startsWith('file://'))
      return `files are read from a folder that is shared with the recorder, not from ${file_url.split('/').slice(0, 3).join('/')}`;
    if (dir === undefined) return 'no folder of data files is known; name it with --set data.dir=FOLDER';
    if (storeId !== undefined && !isMarked(dir, storeId))
      return `${dir} holds no files of the recorder (store ${storeId}); share its data folder with this host and name it with --set data.dir=FOLDER`;
    if (!isFolder(dir))
      return `the data folder ${dir} is not there; bring it back, or name another with --set data.dir=FOLDER`;
    return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
