import { roundDuration } from '../lib/duration.ts';
import { SwfError } from '../lib/errors.ts';
import { present } from '../lib/present.ts';
import { conciseParts, pageParts } from '../monitoring/timeline/told.ts';
import { timelineAnswer } from './answers/timeline.ts';
import { inStepsFor } from './shared/in-steps.ts';
import { sitesPart } from './shared/sites.ts';
import { choice, defineLiveTool, integer, parseWindow, requiredExecution, text } from './shared/tool.ts';

const usualBins = 60;
const maxSlots = 400;

/**
 * How long reading an execution may delay an answer, in milliseconds. The page soon repeats its request, but an
 * assistant should get a full answer.
 */
const patience = { page: 300, concise: 20_000 };

/** Maximum number of level values. If there are few bins, levels are returned in finer steps than bins. */
const maxLevels = { page: 300, concise: 0 };

/** If there are more bars than this, cells are returned instead. */
const maxSpans = { page: 4000, concise: 0 };

export const getExecutionTimelineTool = defineLiveTool({
  name: 'get_execution_timeline',
  title: 'Timeline of an execution',
  hasPage: true,
  description:
    'Over time: slices created, completed and failed per bin, queued and in progress (end and peak of each bin), phases, pauses, delays, failures by cause with their times (20 intervals), ' +
    'and the worst workers. With slots: a line per worker, "." idle, 1-9 tenths busy, "#" busy, "!" a failure.',
  takesLong: () => true,
  takesMoment: true,
  input: () => ({
    execution_id: requiredExecution,
    start_time: text('Earliest time to show: ISO 8601, or -15m'),
    end_time: text('Latest time to show'),
    bins: integer(10, 600, 'Maximum bins, 10 to 600 (default 60)'),
    detail: choice(['concise', 'page'], 'page: everything, for charts'),
    first_slot: integer(0, 100_000, 'First slot: index in name order'),
    slots: integer(0, maxSlots, 'Worker slots to draw (default 0)'),
    since: integer(0, Number.MAX_SAFE_INTEGER, 'seq of the last answer: short reply if nothing changed'),
  }),
  output: timelineAnswer,
  async perform(args, context) {
    const { detail = 'concise' } = args;
    const now = context.now();
    const asked = context.queries();
    const execution = asked.execution(args.execution_id);
    const window = parseWindow(args, now);
    const begun = asked.timelineQuestion(execution, now, {
      from: window.start_time,
      until: window.end_time,
      maxBins: args.bins ?? usualBins,
      maxLevels: maxLevels[detail],
      firstSlot: args.first_slot ?? 0,
      slots: args.slots ?? (detail === 'page' ? maxSlots : 0),
      maxSpans: maxSpans[detail],
    });
    const { execution_id, run_number } = execution;
    if (Number.isNaN(begun.life.end - begun.life.start))
      throw new SwfError(
        'STORE_CORRUPT',
        `the start or end of ${execution_id} is not a valid time, so nothing can be drawn; restore the store from a backup`,
      );
    const since = detail === 'page' ? asked.recordedFrom(execution_id) : undefined;
    const recorded_from = since === undefined ? undefined : new Date(since).toISOString();
    const head = { execution_id, run_number, recorded_from };
    const timeline = await inStepsFor(context, (queries) => queries.timeline(begun), patience[detail]);
    const queries = context.queries();
    const data_as_of = queries.dataAsOf();
    if (timeline === undefined) return present({ ...head, data_as_of, loading: queries.timelinePart(begun.execution) });
    if (timeline.seq === args.since)
      return present({ ...head, seq: timeline.seq, data_as_of, unchanged: true as const });
    const parts = detail === 'page' ? pageParts : conciseParts;
    const note = fewerBins(args.bins, timeline.bins);
    const { sites } = sitesPart(execution, { queries });
    return present({ ...head, seq: timeline.seq, data_as_of, note, ...parts(timeline, begun.life), sites });
  },
});

/** Why there are fewer bins than requested; undefined if there are as many as requested. @param width milliseconds */
const fewerBins = (asked: number | undefined, { count, width }: { count: number; width: number }) =>
  asked === undefined || count >= asked
    ? undefined
    : `${count} bins of ${roundDuration(width / 1000)} instead of ${asked}: each has a round width of at least two STF intervals.`;
