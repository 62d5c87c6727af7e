import type * as entries from '../../db/logbook/entries.ts';
import type { Store } from '../../db/opening/store.ts';
import { seenByShown } from '../../tools/monitor/people.ts';
import type { Logbook } from '../../tools/shared/services.ts';
import type { Io } from '../shared/io.ts';

/** The logbook of the store, as tools, routes and commands write it. */
export const createLogbook = (io: Io): Logbook => ({
  note: (request) => onStore(io, ({ addNote }, store) => addNote(store, request)),
  quality: (request) => onStore(io, ({ setQuality }, store) => setQuality(store, request)),
  async seen(name, request) {
    const { alarm, isNew } = await onStore(io, ({ markSeen }, store) => markSeen(store, name, request));
    const { alarm_id, state } = alarm;
    return { alarm_id, seen_by: seenByShown(alarm) ?? '', is_over: state === 'cleared', is_new: isNew };
  },
});

/** Opens the store, and loads what writes it, for each entry: there are few. */
async function onStore<T>(io: Io, work: (write: typeof entries, store: Store) => Promise<T>) {
  const { existingStore, ...write } = await import('./write-logbook.ts');
  using store = await existingStore(io);
  return await work(write, store);
}
