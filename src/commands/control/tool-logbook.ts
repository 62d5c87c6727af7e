import type * as entries from '../../db/logbook/entries.ts';
import type { Store } from '../../db/opening/store.ts';
import { seenByShown } from '../../tools/monitor/people.ts';
import type { Logbook } from '../../tools/shared/services.ts';
import type { Io } from '../shared/io.ts';

/** The store's logbook, to which tools, routes and commands write. */
export const createLogbook = (io: Io): Logbook => ({
  note: (request) => onStore(io, ({ addNote }, store) => addNote(store, request)),
  quality: (request) => onStore(io, ({ setQuality }, store) => setQuality(store, request)),
  async seen(name, request) {
    const { alarm, isNew } = await onStore(io, ({ markSeen }, store) => markSeen(store, name, request));
    const { alarm_id, state } = alarm;
    return { alarm_id, seen_by: seenByShown(alarm) ?? '', is_over: state === 'cleared', is_new: isNew };
  },
});

/** Opens the store and loads the writing code anew for each entry, since entries are rare. */
async function onStore<T>(io: Io, work: (write: typeof entries, store: Store) => Promise<T>) {
  const { existingStore, ...write } = await import('./write-logbook.ts');
  using store = await existingStore(io);
  return await work(write, store);
}
