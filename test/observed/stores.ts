import { join } from 'node:path';

import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import type { Store } from '../../src/db/opening/store.ts';
import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { temporaryFolder } from '../helpers.ts';
import { tablesOf } from './tables.ts';

let stores = 0;
const folder = temporaryFolder();

/** An empty store. */
export const emptyStore = (): Promise<Store> => openStore(join(folder, `${(stores += 1)}.db`));

/** A store that has recorded lines, this many in a transaction. */
export async function storeOf(lines: readonly MessageLine[], together = 50): Promise<Store> {
  const store = await emptyStore();
  for (let at = 0; at < lines.length; at += together)
    await store.write((tx) => {
      for (const line of lines.slice(at, at + together)) recordHeard(tx, line);
    });
  return store;
}

/** The tables of such a store. */
export async function tablesAfter(lines: readonly MessageLine[], together?: number) {
  const store = await storeOf(lines, together);
  const tables = tablesOf(store.db);
  store.close();
  return tables;
}
