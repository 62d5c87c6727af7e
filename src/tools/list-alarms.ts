import * as z from 'zod';

import { alarmSeverities, alarmStates } from '../domain/logbook-words.ts';
import { printable } from '../lib/printable.ts';
import { clipWords } from '../lib/words.ts';
import { alarmRow } from './answers/alarm.ts';
import { pageAnswer } from './answers/page.ts';
import { seenByShown } from './monitor/people.ts';
import { clipShown } from './shared/clip.ts';
import { listPage } from './shared/list.ts';
import { choice, executionId, listArguments, namespace } from './shared/params.ts';
import { defineTool } from './shared/tool.ts';

const shownSentence = 600;

export const listAlarmsTool = defineTool({
  name: 'list_alarms',
  title: 'List alarms',
  description: 'Findings that lasted, raised by "swf-mcp watch": who has seen each, and whether it is over (cleared).',
  takesMoment: true,
  input: () =>
    z.strictObject({
      execution_id: executionId,
      namespace,
      state: choice(alarmStates, 'raised: unseen'),
      severity: choice(alarmSeverities, 'Of the finding'),
      ...listArguments('raised_at'),
    }),
  output: () => pageAnswer(alarmRow()),
  handle: (args, context) =>
    listPage('list_alarms', args, context, {
      ask: context.queries.alarms,
      values: { namespace: 'namespace' },
      remark: () =>
        context.asOf !== undefined || context.queries.isWatched(context.now) === true ? undefined : nobodyWatches,
      item: alarmRow,
      computed: (row) => ({
        sentence: clipWords(printable(row.sentence), shownSentence),
        raised_sentence:
          row.raised_sentence === row.sentence ? undefined : clipWords(printable(row.raised_sentence), shownSentence),
        seen_by: seenByShown(row),
        seen_text: row.seen_text === null ? undefined : clipShown(row.seen_text, shownSentence),
      }),
    }),
});

const nobodyWatches =
  'No "swf-mcp watch" runs on this store: alarms stand as the last one left them, and none is raised or cleared now; the findings of get_workflow_monitor tell what is wrong.';
