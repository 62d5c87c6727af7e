import type { Prepare } from '../../db/sqlite/statements.ts';
import {
  knownExecution,
  listObjects,
  newestRunOf,
  objectNamed,
  type ObjectsWanted,
} from '../../db/stand-in/objects.ts';

/** Finds objects. @param fields that listed objects must have; a lookup by name ignores them */
export const finderOf = (sql: Prepare, fields: ObjectsWanted['fields'] = []) => ({
  named: (kind: string, name: string) => objectNamed(sql, kind, name),
  list: (kind: string, by: ObjectsWanted) => listObjects(sql, kind, { ...by, fields }),
  newestRun: (executionId: string) => newestRunOf(sql, executionId),
  execution: (id: string) => knownExecution(sql, id),
});

export type Finder = ReturnType<typeof finderOf>;
