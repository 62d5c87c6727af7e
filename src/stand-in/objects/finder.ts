import type { Prepare } from '../../db/sqlite/statements.ts';
import { listObjects, objectNamed, type ObjectsWanted } from '../../db/stand-in/objects.ts';
import type { Finder } from './resource.ts';

/** @param fields that objects which are listed must have; a name alone finds an object whatever it has */
export const finderOf = (sql: Prepare, fields: ObjectsWanted['fields'] = []): Finder => ({
  named: (kind, name) => objectNamed(sql, kind, name),
  list: (kind, by) => listObjects(sql, kind, { ...by, fields }),
  execution: (id) =>
    sql<[string], Record<string, unknown>>(
      'SELECT execution_id, namespace, status, executed_by, start_time, end_time FROM workflow_executions WHERE execution_id = ?',
    ).get(id),
});
