import { logAndProjection } from './001-log-and-projection.ts';
import { payloads } from './002-payloads.ts';
import { lateMessages } from './003-late-messages.ts';
import { stageDelays } from './004-stage-delays.ts';
import { accessPaths } from './005-access-paths.ts';
import { blocksAndWords } from './006-blocks-and-words.ts';
import { totalsAndNamespaces } from './007-totals-and-namespaces.ts';
import type { Migration } from './migration.ts';

/**
 * The store's schema as an append-only list: step N leads to `user_version` N. A step that has been released is never
 * edited; `test/golden/schema.sql` shows where all steps together lead.
 */
export const migrations: readonly Migration[] = [
  logAndProjection,
  payloads,
  lateMessages,
  stageDelays,
  accessPaths,
  blocksAndWords,
  totalsAndNamespaces,
];
