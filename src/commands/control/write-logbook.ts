/**
 * The code that writes a store's logbook, loaded with the first entry, so that a starting server does not load it.
 */
export * from '../../db/logbook/entries.ts';
export { existingStore } from '../shared/own-store.ts';
