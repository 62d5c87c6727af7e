import { optionalTrue } from '../domain/fields.ts';
import { alarmSeverities, alarmStates } from '../domain/logbook-words.ts';
import { printable } from '../lib/printable.ts';
import { clipWords } from '../lib/words.ts';
import { seenByShown } from './monitor/people.ts';
import { clipShown } from './shared/clip.ts';
import { defineList } from './shared/list.ts';
import { choice, executionId, namespace } from './shared/tool.ts';

const shownSentence = 600;

export const listAlarmsTool = defineList({
  name: 'list_alarms',
  title: 'List alarms',
  description: 'Alarms: persistent findings, raised by "swf-mcp watch"; who has seen each, and whether it has cleared.',
  input: () => ({
    execution_id: executionId,
    namespace,
    state: choice(alarmStates, 'raised means unseen'),
    severity: choice(alarmSeverities, 'Severity of the finding'),
  }),
  window: 'raised_at',
  ask: ({ queries }) => queries.alarms,
  whole: {
    fields: () => ({ unwatched: optionalTrue }),
    of: ({ asOf, queries, now }) =>
      asOf !== undefined || queries.isWatched(now) === true ? {} : { unwatched: true, note: nobodyWatches },
  },
  computed: () => (row) => ({
    sentence: clipWords(printable(row.sentence), shownSentence),
    raised_sentence:
      row.raised_sentence === row.sentence ? undefined : clipWords(printable(row.raised_sentence), shownSentence),
    seen_by: seenByShown(row),
    seen_text: clipShown(row.seen_text, shownSentence),
  }),
});

const nobodyWatches =
  'No "swf-mcp watch" is running on this store, so no alarms are being raised or cleared; the findings of get_workflow_monitor show what is wrong.';
