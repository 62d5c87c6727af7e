import * as z from 'zod';

import { alarmSeverities, maxAuthor, maxNote, qualities } from '../domain/logbook-words.ts';
import { define, positive, text } from './fields.ts';

const words = z.string().min(1).max(maxNote);

/** The id of any execution: an observed one has the id that a testbed program gave it, in whatever form. */
const ofAny = () => ({ execution_id: z.string().min(1).max(2000).optional() });
const author = z.string().min(1).max(maxAuthor);

const alarm = () => ({
  code: z
    .string()
    .max(50)
    .regex(/^[A-Z][A-Z0-9_]*$/),
  subject: z.string().min(1).max(2500),
  sentence: words,
  severity: z.enum(alarmSeverities),
  /** How often the alarm has been raised, from 1. */
  count: positive,
});

const alarmKey = ({ code, subject, count }: { code: string; subject: string; count: number }, change: string) =>
  `alarm/${code}/${subject}/${count}/${change}`;

/**
 * People's notes and judgements, and alarms. The process that receives them records them; they are not sent
 * over a broker. Each belongs to an execution (running or ended, own or observed) or to none. Their `key` is
 * their whole message id.
 */
export const logbookMessages = {
  note: define(
    ['control', 'logbook'],
    () => ({
      command_id: text,
      text: words,
      author,
      at: z.iso.datetime().optional(),
      about: text.optional(),
      for_next: z.boolean().optional(),
    }),
    (m) => `note/${m.command_id}`,
    ofAny,
  ),
  quality: define(
    ['control', 'logbook'],
    () => ({ command_id: text, value: z.enum(qualities), reason: words, author }),
    (m) => `quality/${m.command_id}`,
    ofAny,
  ),
  alarm_raised: define(['control', 'logbook'], alarm, (m) => alarmKey(m, 'raised'), ofAny),
  alarm_seen: define(
    ['control', 'logbook'],
    () => ({ ...alarm(), author, text: words.optional() }),
    (m) => alarmKey(m, 'seen'),
    ofAny,
  ),
  alarm_cleared: define(['control', 'logbook'], alarm, (m) => alarmKey(m, 'cleared'), ofAny),
} as const;

export type LogbookType = keyof typeof logbookMessages;
