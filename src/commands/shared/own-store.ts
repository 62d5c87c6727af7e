import { openExistingStore, openStore } from '../../db/opening/open-store.ts';
import { type Io, storePath, wordOf } from './io.ts';

/** Opens the store for writing, and creates it if it is missing. Throws `CONFIG_INVALID` and `STORE_…`. */
export const ownStore = (io: Io) => openStore(storePath(io), storeOptions(io));

/** Like `ownStore`, but throws `NoStoreYet` if the store is missing. */
export const existingStore = (io: Io, more: Parameters<typeof openExistingStore>[1] = {}) =>
  openExistingStore(storePath(io), { ...storeOptions(io), ...more });

/**
 * `SWF_SYNCHRONOUS`: `FULL` waits for the disk at every commit, so that a power cut loses nothing; `NORMAL`,
 * the default, may then lose the last commits.
 */
const storeOptions = (io: Io) => ({ synchronous: wordOf(io, 'SWF_SYNCHRONOUS', ['NORMAL', 'FULL'], 'NORMAL') });
