import * as z from 'zod';

import { object, oneOf, string } from '../domain/fields.ts';
import { maxNote, qualities } from '../domain/logbook-words.ts';
import { authorOf, logbookOf } from './add-note.ts';
import { defineLiveTool, requestedBy, requiredExecution } from './shared/tool.ts';

export const setQualityTool = defineLiveTool({
  name: 'set_quality',
  title: 'Judge the quality of a run',
  description:
    'Judges the data of an execution: good, bad or test, with the reason; "none" withdraws the judgement. The last call counts.',
  input: () => ({
    execution_id: requiredExecution,
    value: oneOf(qualities).describe('Judgement'),
    reason: z.string().trim().min(1).max(maxNote).describe('Why'),
    requested_by: requestedBy('Who judges it'),
  }),
  output: () => object({ message_id: string, value: oneOf(qualities), was: oneOf(qualities) }),
  writes: { destructive: false, idempotent: true },
  async perform({ execution_id: asked, requested_by, ...judged }, context) {
    const { execution_id } = context.queries().execution(asked);
    return logbookOf(context).quality({ execution_id, ...judged, ...authorOf(requested_by, context) });
  },
});
