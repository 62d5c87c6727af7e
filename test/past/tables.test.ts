import { expect, it } from 'vitest';

import { copiedTables, filledTables } from '../../src/db/past/unlogged-rows.ts';
import { makeStore } from '../helpers.ts';

/** Tables that no answer about an earlier moment reads, each with the reason. */
const leftOut: Readonly<Record<string, string>> = {
  names: 'copied whole, with their numbers',
  counters: 'nothing new is numbered in the past',
  time_blocks: 'notes for speed: rows without notes are read',
  message_counts: 'notes for speed',
  message_totals: 'notes for speed',
  message_namespaces: 'notes for speed',
  word_parts: 'notes for speed',
  recorded_blocks: 'asked of the store itself',
  past_agents: 'asked of the store itself',
  past_leases: 'asked of the store itself',
  past_commands: 'asked of the store itself',
  known_namespaces: 'for those who are about to use a broker',
  requests_in_hand: 'for a recorder that goes on',
  testbed_requests: 'for an observer that goes on',
  monitor_objects: 'what the stand-in answers to programs now',
  watchers: 'who watches now',
  alarm_candidates: 'for a watcher that goes on',
  alarm_receivers: 'for a watcher that goes on',
};

/** Tables of entries of the logbook: these are always read again from the log. */
const ofLogbook = ['notes', 'run_quality', 'alarms'];

it('every table of the schema is either in a past store or left out for a stated reason', async () => {
  const { store } = await makeStore();
  const tables = store
    .sql<[], { name: string }>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_words_%'`,
    )
    .all()
    .map(({ name }) => name);
  expect([...copiedTables, ...filledTables, ...ofLogbook, ...Object.keys(leftOut)].toSorted()).toEqual(
    tables.toSorted(),
  );
});
