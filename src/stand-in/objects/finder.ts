import type { Prepare } from '../../db/sqlite/statements.ts';
import { listObjects, objectNamed } from '../../db/stand-in/objects.ts';
import type { Finder } from './resource.ts';

export const finderOf = (sql: Prepare): Finder => ({
  named: (kind, name) => objectNamed(sql, kind, name),
  list: (kind, by) => listObjects(sql, kind, by),
  execution: (id) =>
    sql<[string], Record<string, unknown>>(
      'SELECT execution_id, namespace, status, executed_by, start_time, end_time FROM workflow_executions WHERE execution_id = ?',
    ).get(id),
});
