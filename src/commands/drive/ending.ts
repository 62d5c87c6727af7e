import { requireOwn } from '../../db/execution/find-execution.ts';
import type { Queries } from '../../db/queries.ts';

export type Ending = ReturnType<typeof readEnding>;

export const readEnding = (queries: Queries, executionId: string) =>
  queries.snapshot(() => {
    const execution = requireOwn(queries.execution(executionId), 'be ended');
    const detail = queries.executionRecord(execution);
    return {
      reason: execution.status_reason ?? undefined,
      stfsReady: detail.stfs_ready,
      retries: detail.slice_retries,
      /** Simulated seconds. */
      simulated: detail.last_tick,
      delays: queries.stageDelays(execution),
      /** As `run --json` prints it. `duration_seconds` is wall time. */
      summary: {
        execution_id: execution.execution_id,
        run_number: execution.run_number,
        status: execution.status,
        stf_count: execution.stf_count,
        tf_files_received: execution.tf_files_received,
        slices_created: execution.slices_created,
        slices_completed: execution.slices_completed,
        slices_failed: execution.slices_failed,
        messages: queries.messageCount(execution.execution_id),
        duration_seconds: queries.duration(execution, Date.now()),
      },
    };
  });
