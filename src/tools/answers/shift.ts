import * as z from 'zod';

import {
  int,
  object,
  objects,
  oneOf,
  optionalFloat,
  optionalInt,
  optionalOneOf,
  optionalString,
  string,
  strings,
} from '../../domain/fields.ts';
import { alarmSeverities, alarmStates, qualities } from '../../domain/logbook-words.ts';
import { executionStatuses, healths } from '../../domain/states.ts';
import { personsNote } from './monitor.ts';

const note = () => personsNote().extend({ execution_id: optionalString });

const alarm = () =>
  object({
    alarm_id: string,
    severity: oneOf(alarmSeverities),
    state: oneOf(alarmStates),
    count: int,
    sentence: string.describe('Shortened'),
    raised_at: string,
    seen_by: optionalString,
    seen_text: optionalString,
    cleared_at: optionalString,
  });

/** The answer of `shift_report`. Times are ISO 8601. */
export const shiftAnswer = () =>
  object({
    start_time: string,
    end_time: string,
    totals: object({
      executions: int,
      running: int,
      completed: int,
      failed: int,
      terminated: int,
      unknown: int,
      stf_files: int.describe('Made in this period; bytes is their size'),
      bytes: optionalInt,
      slices_completed: optionalInt.describe('In this period'),
      attempts_failed: optionalInt,
      slices_stay_failed: optionalInt.describe('At the end of this period, in the executions examined'),
      slices_not_done: optionalInt,
      executions_uncounted: optionalInt.describe('Not in these sums, since their slices are not seen'),
      stf_failed: optionalInt,
    }),
    executions: objects({
      execution_id: string,
      executed_by: optionalString,
      status: oneOf(executionStatuses),
      health: optionalOneOf(healths),
      silent_seconds: optionalFloat.describe('Since its driver last sent a heartbeat'),
      stf_failed: optionalInt,
      slices_completed: optionalInt.describe('If slices are seen'),
      slices_created: optionalInt,
      slices_stay_failed: optionalInt,
      start_time: string,
      duration_seconds: optionalFloat,
      quality: optionalOneOf(qualities),
    }),
    executions_omitted: int,
    causes: objects({ cause: string, attempts: int }),
    causes_omitted: int,
    people: objects({
      time: string,
      name: string,
      sent_by: optionalString.describe('If the name is only claimed'),
      did: string,
      execution_id: string,
      reason: optionalString,
    }),
    people_omitted: int,
    from_last: z.array(note()).optional().describe('What the last shift left for this one'),
    notes: z.array(note()).optional(),
    for_next: z.array(note()).optional(),
    alarms: z.array(alarm()).optional(),
    open: strings,
    open_omitted: int,
    text: string.describe('The same content as Markdown'),
    data_as_of: optionalString,
    note: optionalString,
  });

export type Shift = z.infer<ReturnType<typeof shiftAnswer>>;
