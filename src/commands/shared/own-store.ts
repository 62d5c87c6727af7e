import { openExistingStore, openStore } from '../../db/opening/open-store.ts';
import { type Io, storePath, wordOf } from './io.ts';

/** Opens the store to write, and makes it if it is missing. Throws `CONFIG_INVALID` and `STORE_…`. */
export const ownStore = (io: Io) => openStore(storePath(io), storeOptions(io));

/** The same without making it: throws `NoStoreYet`. */
export const existingStore = (io: Io, more: Parameters<typeof openExistingStore>[1] = {}) =>
  openExistingStore(storePath(io), { ...storeOptions(io), ...more });

/**
 * `SWF_SYNCHRONOUS`: `FULL` waits for the disk at every commit, so that a power cut loses nothing; `NORMAL`,
 * which is usual, may lose the last moments.
 */
const storeOptions = (io: Io) => ({ synchronous: wordOf(io, 'SWF_SYNCHRONOUS', ['NORMAL', 'FULL'], 'NORMAL') });
