import type { Queries } from '../../db/queries.ts';

export type DrivenExecution = ReturnType<typeof drivenExecutions>[number];

/** The running executions that a living process drives, newest first. */
export const drivenExecutions = (queries: Queries) =>
  queries
    .executions({ status: 'running' }, { order: 'newest', limit: 1000, uncounted: true })
    .rows.flatMap(({ execution_id }) => {
      const driver = queries.driver(execution_id);
      return driver?.isAlive === true ? [{ execution_id, pid: driver.pid }] : [];
    });
