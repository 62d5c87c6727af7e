import * as z from 'zod';

import type { SummaryQuestion } from '../db/summaries/question.ts';
import { timeFields, countsAttempts, isSpan, summarized } from '../domain/summary-words.ts';
import { present } from '../lib/present.ts';
import { everyKey, summaryAnswer } from './answers/summary.ts';
import { inSteps } from './shared/in-steps.ts';
import { choice, executionId, integer, namespace, requiredText, runNumber, text } from './shared/params.ts';
import { defineLiveTool } from './shared/tool.ts';
import { emptyNote, questionOf } from './summary/question.ts';
import { orders, shownGroups, shownSums } from './summary/shown-groups.ts';

const defaultLimit = 50;

const countedWords = ({ what, keys }: SummaryQuestion): string =>
  what !== 'slices' || !countsAttempts(keys)
    ? what
    : keys.includes('cause')
      ? 'failed attempts at slices'
      : 'attempts at slices';

/** A place without failures is in no group of causes: its absence must not be read as a figure. */
const failuresAlone = ({ what, keys }: SummaryQuestion): string | undefined =>
  what === 'slices' && keys.length > 1 && keys.includes('cause')
    ? `Only failed attempts have a cause: what has none is in no group; group_by="${keys.filter((key) => key !== 'cause').join()}" counts it.`
    : undefined;

export const summarizeTool = defineLiveTool({
  name: 'summarize',
  title: 'Count and sum',
  description:
    'How many, how long, how much: counts, failures, retries, bytes and durations (mean, p50, p95, max) of slices, stf_files, messages, logs or executions in groups. ' +
    'Such as what="slices", group_by="cause", "worker" (who is slow or fails), "minute" (rate), "stf_filename,status"; what="executions", group_by="day" (trends). ' +
    'By cause, worker, host or attempt it counts attempts at slices, else slices: see counts. Times without rows have no group.',
  takesLong: () => true,
  takesMoment: true,
  input: () =>
    z.strictObject({
      what: z.enum(summarized).describe(summarized.join(', ')),
      group_by: requiredText(
        `One or two, with a comma, of ${everyKey.join(', ')}, as they fit what. cause: errors made alike. status of messages: their effect`,
      ),
      execution_id: executionId,
      run_number: runNumber,
      namespace,
      status: text('State; of slices as list_tf_slices'),
      assigned_worker: text('As list_tf_slices'),
      start_time: text('Of time_field, which hours and days are of too: ISO 8601, or -15m, -2h, -7d'),
      end_time: text('As start_time'),
      time_field: choice(timeFields, 'Time that is meant (default created; executions: their start)'),
      order_by: choice(orders, 'Largest first; key: from A to Z (default for times)'),
      limit: integer(1, 1000, 'Groups (default 50)'),
    }),
  output: summaryAnswer,
  async perform(args, context) {
    const now = context.now();
    const question = questionOf(args, { queries: context.queries(), now });
    const groups = await inSteps(context, (queries) => queries.summarize(question));
    const byTime = isSpan(question.keys[0] as string);
    const { shown, omitted } = shownGroups(groups, question, {
      order: args.order_by ?? (byTime ? 'key' : 'count'),
      limit: args.limit ?? defaultLimit,
    });
    const { execution_id, start_time, end_time } = question;
    const queries = context.queries();
    return present({
      what: question.what,
      counts: countedWords(question),
      groups: shown,
      groups_omitted: omitted,
      total: shownSums(groups, question),
      execution_id,
      start_time,
      end_time,
      data_as_of: queries.dataAsOf(),
      note: groups.length === 0 ? emptyNote(args, question, { queries, now }) : failuresAlone(question),
    });
  },
});
