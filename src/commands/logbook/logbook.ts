import { addNote, markSeen, setQuality } from '../../db/logbook/entries.ts';
import { openExistingStore } from '../../db/opening/open-store.ts';
import type { Store } from '../../db/opening/store.ts';
import { seenByShown } from '../../tools/monitor/people.ts';
import type { Logbook } from '../../tools/shared/services.ts';
import { type Io, storeOptions, storePath } from '../shared/io.ts';

/** The logbook of the store, as tools, routes and commands write it. The store is opened for each entry: there are few. */
export const createLogbook = (io: Io): Logbook => ({
  note: (request) => onStore(io, (store) => addNote(store, request)),
  quality: (request) => onStore(io, (store) => setQuality(store, request)),
  async seen(name, request) {
    const { alarm, isNew } = await onStore(io, (store) => markSeen(store, name, request));
    const { alarm_id, state } = alarm;
    return { alarm_id, seen_by: seenByShown(alarm) ?? '', is_over: state === 'cleared', is_new: isNew };
  },
});

async function onStore<T>(io: Io, work: (store: Store) => Promise<T>): Promise<T> {
  using store = await openExistingStore(storePath(io), storeOptions(io));
  return await work(store);
}
