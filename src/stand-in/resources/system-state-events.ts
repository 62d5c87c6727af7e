import * as z from 'zod';

import { sha256 } from '../../lib/sha256.ts';
import { runNumber, textOf, word } from '../objects/fields.ts';
import type { Resource } from '../objects/resource.ts';

/** Events as fast processing saw them, including results, as whole messages. */
export const systemStateEvents: Resource = {
  path: 'system-state-events',
  idField: 'event_id',
  idKind: 'number',
  nameField: 'event_type',
  body: z.looseObject({ event_type: word(), run_number: runNumber().nullish() }),
  // Two events of one moment are two; identical events are one.
  namesOf: (body) => ({
    name: sha256().update(JSON.stringify(body)).digest('hex').slice(0, 32),
    run_id: textOf(body['run_number']),
  }),
  more: () => ({}),
  again: 'same',
  find: ({ run_number }, find) => find.list('system-state-events', { run_id: run_number }),
};
