import { messageEffects } from '../domain/effects.ts';
import { oneOf } from '../domain/fields.ts';
import { sliceStatuses } from '../domain/slice-states.ts';
import { executionStatuses, stfStatuses } from '../domain/states.ts';
import { timeFields } from '../domain/summary-words.ts';
import {
  countsAttempts,
  isSpan,
  summarized,
  type SummaryKey,
  summaryKeys,
  type SummaryQuestion,
} from '../domain/summary-words.ts';
import { argumentInvalid, valueInvalid } from '../lib/errors.ts';
import { present } from '../lib/present.ts';
import { closest } from '../lib/suggest.ts';
import { whyNoSlices } from './list-tf-slices.ts';
import { inSteps } from './shared/in-steps.ts';
import { nowhereNote } from './shared/nowhere.ts';
import {
  choice,
  defineLiveTool,
  executionId,
  integer,
  namespace,
  parseWindow,
  requiredText,
  requireRun,
  resolveExecution,
  runNumber,
  text,
  type ToolContext,
} from './shared/tool.ts';
import { everyKey, orders, shownGroups, shownSums, summaryAnswer } from './summary.ts';

const defaultLimit = 50;

const countedWords = ({ what, keys }: SummaryQuestion) =>
  what !== 'slices' || !countsAttempts(keys)
    ? what
    : keys.includes('cause')
      ? 'failed attempts at slices'
      : 'attempts at slices';

/**
 * The note for groups by cause: a worker or file without failures is in no group, although it may have had
 * attempts.
 */
const failuresAlone = ({ what, keys }: SummaryQuestion) =>
  what === 'slices' && keys.length > 1 && keys.includes('cause')
    ? `Only failed attempts have a cause: the others are in no group; group_by="${keys.filter((key) => key !== 'cause').join()}" counts them.`
    : undefined;

export const summarizeTool = defineLiveTool({
  name: 'summarize',
  title: 'Count and sum',
  description:
    'Counts, failures, retries, bytes and durations (mean, p50, p95, max) of slices, stf_files, messages, logs or executions in groups. ' +
    'For example what="slices", group_by="cause", "worker", "minute", "stf_filename,status"; for executions "day". ' +
    'Grouped by cause, worker, host, job (PanDA task/job) or attempt, slices are counted once per attempt (see counts). Intervals without rows are omitted. ' +
    'seconds: from hand-over to result; processing_seconds: the payload alone.',
  takesLong: () => true,
  takesMoment: true,
  input: () => ({
    what: oneOf(summarized).describe(summarized.join(', ')),
    group_by: requiredText(
      `One or two (comma-separated) of ${everyKey.join(', ')}, depending on "what". cause: similar errors. For messages, status means effect`,
    ),
    execution_id: executionId,
    run_number: runNumber,
    namespace,
    status: text('State; for slices, as in list_tf_slices'),
    assigned_worker: text('Worker, as in list_tf_slices'),
    start_time: text('Earliest time: ISO 8601, or -15m, -2h, -7d'),
    end_time: text('Latest time'),
    time_field: choice(timeFields, 'Which time to use (default created; for executions, start)'),
    order_by: choice(orders, 'Largest first; key: alphabetical (default for minute, hour, day)'),
    limit: integer(1, 1000, 'Number of groups (default 50)'),
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

/** The arguments of `summarize` that select rows. */
interface SummaryArguments extends Omit<SummaryQuestion, 'keys' | 'time_field'> {
  group_by: string;
  run_number?: number | undefined;
  time_field?: SummaryQuestion['time_field'] | undefined;
  order_by?: string | undefined;
}

/** The query that the arguments describe. Throws `ARGUMENT_INVALID` if they do not fit together. */
function questionOf(args: SummaryArguments, context: ToolContext) {
  const { what, time_field = 'created', run_number, status, assigned_worker } = args;
  refuseUnfit(args, time_field);
  requireRun(run_number, context);
  const ofRun = run_number === undefined ? undefined : context.queries.executionOfRun(run_number);
  const execution_id = resolveExecution(args.execution_id, context) ?? ofRun;
  if (ofRun !== undefined && ofRun !== execution_id)
    throw argumentInvalid(
      `run_number ${run_number} belongs to ${ofRun}, not to the given execution_id; give only one of them`,
    );
  return {
    what,
    keys: keysOf(what, args.group_by),
    execution_id,
    namespace: args.namespace,
    status,
    assigned_worker,
    ...parseWindow(args, context.now),
    time_field,
  };
}

function keysOf(what: SummaryQuestion['what'], asked: string) {
  const allowed: readonly string[] = summaryKeys[what];
  const keys = asked.split(',').map((key) => key.trim());
  const wrong = keys.find((key) => !allowed.includes(key));
  if (wrong !== undefined || keys.length > 2 || new Set(keys).size < keys.length) {
    const near = wrong === undefined ? undefined : closest(wrong, allowed);
    throw valueInvalid(
      `group_by = ${JSON.stringify(asked.slice(0, 80))}: ${near === undefined ? '' : `the nearest is ${near}; `}give one or two of ${allowed.join(', ')} for ${what}`,
    );
  }
  return keys as SummaryKey[];
}

/** The possible states of each kind of row. */
const statesOf: Readonly<Partial<Record<SummaryQuestion['what'], readonly string[]>>> = {
  slices: sliceStatuses,
  stf_files: stfStatuses,
  messages: messageEffects,
  executions: executionStatuses,
};

const timesOf: Readonly<Record<SummaryQuestion['what'], readonly string[]>> = {
  slices: timeFields,
  stf_files: ['created', 'completed'],
  messages: ['created'],
  logs: ['created'],
  executions: timeFields,
};

/** Refuses a filter that does not exist for this kind of row, since it would otherwise be silently ignored. */
function refuseUnfit({ what, status, assigned_worker, order_by, ...others }: SummaryArguments, time: string) {
  const refuse = (given: string, instead: string) => {
    throw argumentInvalid(`${given} cannot be used with what="${what}"; ${instead}`);
  };
  if (status !== undefined && statesOf[what]?.includes(status) !== true)
    refuse(
      `status = ${JSON.stringify(status.slice(0, 80))}`,
      statesOf[what] === undefined
        ? 'log lines have levels instead: group_by="level"'
        : `the states are ${statesOf[what].join(', ')}`,
    );
  if (assigned_worker !== undefined && what !== 'slices') refuse('assigned_worker', 'only slices have workers');
  if (others.namespace !== undefined && what === 'logs') refuse('namespace', 'give execution_id');
  const hasCounts = what === 'messages' || what === 'logs';
  if (hasCounts && (order_by === 'failed' || order_by === 'seconds'))
    refuse(`order_by = "${order_by}"`, 'messages and logs have only counts; give count or key');
  if (!timesOf[what].includes(time)) refuse(`time_field = "${time}"`, `the times are ${timesOf[what].join(', ')}`);
}

/** Says why there are no groups. */
function emptyNote(args: SummaryArguments, question: SummaryQuestion, context: ToolContext) {
  const nowhere = nowhereNote({ ...args }, question, context);
  const unseen = question.what === 'slices' ? whyNoSlices(context, question) : undefined;
  return nowhere ?? unseen ?? 'nothing matches: there are no such rows, or none in that period';
}
