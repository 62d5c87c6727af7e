import * as z from 'zod';

import { qualities } from '../../domain/logbook-words.ts';
import { phases } from '../../domain/run-phases.ts';
import { executionStatuses, healths, origins } from '../../domain/states.ts';

/** A row of `list_workflow_executions`. Times are ISO 8601, durations seconds of wall time. */
export const executionRow = () =>
  z.strictObject({
    execution_id: z.string(),
    origin: z.enum(origins),
    workflow_name: z.string().optional(),
    namespace: z.string().optional(),
    status: z.enum(executionStatuses),
    phase: z.enum(phases),
    run_number: z.int().optional(),
    executed_by: z.string().optional(),
    start_time: z.string(),
    end_time: z.string().optional(),
    stf_count: z.int(),
    slices_created: z.int(),
    slices_completed: z.int(),
    slices_failed: z.int(),
    health: z.enum(healths).optional().describe('Absent: no longer heard'),
    status_reason: z.string().optional(),
    duration_seconds: z.number(),
    silent_seconds: z.number().optional().describe('since its driver was last heard'),
    bytes: z.int(),
    retries: z.int(),
    speed: z.string().optional(),
    quality: z.enum(qualities).optional(),
  });

export type ExecutionRow = z.infer<ReturnType<typeof executionRow>>;
