import type { Prepare } from '../../db/sqlite/statements.ts';
import {
  knownExecution,
  listObjects,
  newestRunOf,
  objectNamed,
  type ObjectsWanted,
} from '../../db/stand-in/objects.ts';
import type { Finder } from './resource.ts';

/** @param fields that objects which are listed must have; a name alone finds an object whatever it has */
export const finderOf = (sql: Prepare, fields: ObjectsWanted['fields'] = []): Finder => ({
  named: (kind, name) => objectNamed(sql, kind, name),
  list: (kind, by) => listObjects(sql, kind, { ...by, fields }),
  newestRun: (id) => newestRunOf(sql, id),
  execution: (id) => knownExecution(sql, id),
});
