import type { Prepare } from '../../db/sqlite/statements.ts';
import {
  knownExecution,
  listObjects,
  newestRunOf,
  objectNamed,
  type ObjectsWanted,
} from '../../db/stand-in/objects.ts';
import type { Finder } from './resource.ts';

/** @param fields that listed objects must have; a lookup by name ignores them */
export const finderOf = (sql: Prepare, fields: ObjectsWanted['fields'] = []): Finder => ({
  named: (kind, name) => objectNamed(sql, kind, name),
  list: (kind, by) => listObjects(sql, kind, { ...by, fields }),
  newestRun: (id) => newestRunOf(sql, id),
  execution: (id) => knownExecution(sql, id),
});
