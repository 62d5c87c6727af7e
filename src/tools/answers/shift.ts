import * as z from 'zod';

import { alarmSeverities, alarmStates, qualities } from '../../domain/logbook-words.ts';
import { executionStatuses, healths } from '../../domain/states.ts';
import { personsNote } from './note.ts';

const note = () => personsNote().extend({ execution_id: z.string().optional() });

const alarm = () =>
  z.strictObject({
    alarm_id: z.string(),
    severity: z.enum(alarmSeverities),
    state: z.enum(alarmStates),
    count: z.int(),
    raised_at: z.string(),
    seen_by: z.string().optional(),
    cleared_at: z.string().optional(),
  });

/** The answer of `shift_report`. Times are ISO 8601. */
export const shiftAnswer = () =>
  z.strictObject({
    start_time: z.string(),
    end_time: z.string(),
    totals: z.strictObject({
      executions: z.int(),
      running: z.int(),
      completed: z.int(),
      failed: z.int(),
      terminated: z.int(),
      stf_files: z.int().describe('Made in this time, as their bytes'),
      bytes: z.int(),
      slices_completed: z.int().describe('In this time'),
      attempts_failed: z.int(),
      slices_stay_failed: z.int().describe('At the end of this time, of the executions that were looked at'),
      slices_not_done: z.int(),
    }),
    executions: z.array(
      z.strictObject({
        execution_id: z.string(),
        status: z.enum(executionStatuses),
        health: z.enum(healths).optional(),
        silent_seconds: z.number().optional().describe('since its driver was last heard'),
        slices_completed: z.int(),
        slices_created: z.int(),
        slices_stay_failed: z.int(),
        start_time: z.string(),
        duration_seconds: z.number(),
        quality: z.enum(qualities).optional(),
      }),
    ),
    executions_omitted: z.int(),
    causes: z.array(z.strictObject({ cause: z.string(), attempts: z.int() })),
    causes_omitted: z.int(),
    people: z.array(
      z.strictObject({
        time: z.string(),
        name: z.string(),
        sent_by: z.string().optional().describe('Where the name is only claimed'),
        did: z.string(),
        execution_id: z.string(),
        reason: z.string().optional(),
      }),
    ),
    people_omitted: z.int(),
    from_last: z.array(note()).optional().describe('What the last shift left for this one'),
    notes: z.array(note()).optional(),
    for_next: z.array(note()).optional(),
    alarms: z.array(alarm()).optional(),
    open: z.array(z.string()),
    open_omitted: z.int(),
    text: z.string().describe('The same as Markdown'),
    data_as_of: z.string().optional(),
    note: z.string().optional(),
  });

export type Shift = z.infer<ReturnType<typeof shiftAnswer>>;
