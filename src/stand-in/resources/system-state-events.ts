import * as z from 'zod';

import { runNumber, textOf, word } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

/** Events as fast processing has seen them, results among them, as whole messages. */
export const systemStateEvents: Resource = {
  path: 'system-state-events',
  idField: 'event_id',
  idKind: 'number',
  body: z.looseObject({ event_type: word(), run_number: runNumber().nullish() }),
  // Two of one moment are two: the row of the log tells whether one comes again.
  namesOf: ({ run_number, timestamp, event_type }) => ({
    name: `${textOf(event_type)} ${textOf(timestamp) ?? ''}`,
    run_id: textOf(run_number),
  }),
  more: () => ({}),
  again: 'replace',
  created: 201,
  isRow: true,
  find: ({ run_number }, find) => find.list('system-state-events', { run_id: run_number }),
};
