import * as z from 'zod';

import { alarmSeverities, alarmStates } from '../../domain/logbook-words.ts';

/** A row of `list_alarms`. Times are ISO 8601. */
export const alarmRow = () =>
  z.strictObject({
    alarm_id: z.string(),
    code: z.string(),
    subject: z.string(),
    severity: z.enum(alarmSeverities),
    state: z.enum(alarmStates),
    sentence: z.string().describe('Of its finding now; once cleared, the last'),
    raised_sentence: z.string().optional().describe('When it was raised, if that differs'),
    execution_id: z.string().optional(),
    raised_at: z.string(),
    count: z.int(),
    seen_by: z.string().optional(),
    seen_at: z.string().optional(),
    seen_text: z.string().optional(),
    cleared_at: z.string().optional(),
  });

export type Alarm = z.infer<ReturnType<typeof alarmRow>>;
