/** What writes the logbook of a store, loaded at the first entry: a server starts without it. */
export * from '../../db/logbook/entries.ts';
export { existingStore } from '../shared/own-store.ts';
