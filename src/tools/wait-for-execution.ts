import * as z from 'zod';

import { countNames, countsIn } from '../domain/counts.ts';
import {
  float,
  int,
  object,
  oneOf,
  optionalInt,
  optionalOneOf,
  optionalString,
  string,
  strings,
} from '../domain/fields.ts';
import { phases } from '../domain/run-phases.ts';
import { executionStatuses, healths } from '../domain/states.ts';
import { counted } from '../lib/counted.ts';
import { pause } from '../lib/deadline.ts';
import { present } from '../lib/present.ts';
import { clause } from '../lib/words.ts';
import { sliceInHand } from './answers/monitor.ts';
import { siteWork } from './answers/timeline.ts';
import { heldOf } from './monitor/parts.ts';
import { failedFiles, sitesPart } from './shared/sites.ts';
import { choice, defineLiveTool, integer, type LiveContext, requiredExecution } from './shared/tool.ts';

/** How long a call may wait, in seconds: clients give up on a call after a minute. */
const maxSeconds = 45;
const usualSeconds = 30;
const lookMilliseconds = 200;
const tellMilliseconds = 1000;

/** Changes that a call can wait for, each with the fields that show it. */
const awaited = {
  change: ['status', 'phase', ...countNames, 'sites'],
  phase: ['status', 'phase'],
  end: ['status'],
} as const;

export const waitForExecutionTool = defineLiveTool({
  name: 'wait_for_execution',
  title: 'Wait for an execution',
  description:
    'Waits up to 45 s for an execution: until=change (in counts, phase or status; the default), phase (a new phase or status) or end. ' +
    'Reports what changed, and whether to call again.',
  input: () => ({
    execution_id: requiredExecution,
    until: choice(['change', 'phase', 'end'], 'change, phase or end'),
    timeout_seconds: integer(1, maxSeconds, 'Seconds, 1 to 45 (default 30)'),
  }),
  output: () =>
    object({
      execution_id: string,
      changed: strings.describe('Since the call; empty if unchanged'),
      waited_seconds: float,
      status: oneOf(executionStatuses),
      phase: oneOf(phases),
      health: optionalOneOf(healths),
      counts: z.record(string, int),
      sites: siteWork().optional(),
      seconds_left: optionalInt,
      slices_overdue: optionalInt.describe('In progress for too long'),
      oldest_in_hand: object(sliceInHand()).optional(),
      next: string,
      data_as_of: optionalString,
    }),
  async perform({ execution_id: asked, until = 'change', timeout_seconds = usualSeconds }, context) {
    const before = look(context, asked);
    const { execution_id } = before.execution;
    const began = performance.now();
    const elapsed = () => (performance.now() - began) / 1000;
    let [now, changed] = [before, [] as string[]];
    let told = 0;
    while (isUnderWay(now) && !context.signal.aborted) {
      now = look(context, execution_id);
      changed = awaited[until].filter((name) => before.shows[name] !== now.shows[name]);
      // Waiting for a stalled or paused execution is pointless.
      if (changed.length > 0 || standstill(now) !== undefined || elapsed() >= timeout_seconds) break;
      if (performance.now() - told > tellMilliseconds) {
        told = performance.now();
        context.progress(Math.round(elapsed() * 10) / 10, timeout_seconds, `${now.execution.phase}: ${doneWords(now)}`);
      }
      await pause(lookMilliseconds, [context.signal]);
    }
    const { status, phase } = now.execution;
    return present({
      execution_id,
      changed: changed.map((name) => nameIn(now, name)),
      waited_seconds: Math.round(elapsed() * 10) / 10,
      status,
      phase,
      health: now.health,
      ...workOf(now),
      sites: now.sites,
      next: nextOf(now),
      data_as_of: now.data_as_of,
    });
  },
});

type Look = ReturnType<typeof look>;

/**
 * The name of a count in the answer: if no message says whether slices are waiting or being processed, they
 * are called `unanswered`.
 */
const nameIn = ({ driving }: Look, name: string) =>
  driving === undefined && name === 'slices_queued' ? 'slices_unanswered' : name;

/** The progress in words: the final slices or, if slices are not counted, the announced STF files. */
const doneWords = ({ execution, progress, why_uncounted: why }: Look) =>
  why === undefined
    ? `${progress.slices_final}${clause(' of ', progress.slices_planned)} slices are final`
    : `${counted(execution.stf_count, 'STF file')} announced`;

/** The counts, and the slices in progress if they are reported. */
function workOf({ execution, driving, heard: told, why_uncounted }: Look) {
  const counts = countsIn(execution);
  const { stf_count, tf_files_received } = counts;
  const stf_failed = failedFiles(execution);
  if (told?.prompt !== undefined)
    return { counts: stf_failed === undefined ? { stf_count } : { stf_count, stf_failed } };
  if (why_uncounted !== undefined) return { counts: { stf_count, tf_files_received } };
  if (driving === undefined) {
    const { slices_queued: slices_unanswered, slices_processing: _, ...heard } = counts;
    return { counts: { ...heard, slices_unanswered } };
  }
  const { count, lost, overdue, oldest } = driving.in_hand;
  return {
    counts: { ...counts, slices_processing: count + lost, slices_to_redo: lost },
    seconds_left: driving.left?.seconds_left,
    slices_overdue: overdue === 0 ? null : overdue,
    oldest_in_hand: oldest && heldOf(oldest),
  };
}

/** Prompt processing may end long after its run. */
const isUnderWay = ({ execution, health }: Look) => execution.status === 'running' || health === 'draining';

/** Why waiting is pointless: nothing will happen unless a person acts. */
function standstill({ health, driving }: Look) {
  if (health === 'stalled') return 'it is stalled: get_workflow_monitor reports why and what to do';
  return driving?.isHeld === true
    ? 'an operator has paused it: it continues when someone calls control_workflow with action "continue"'
    : undefined;
}

function nextOf(now: Look) {
  const { execution_id, status } = now.execution;
  const why = standstill(now);
  if (why !== undefined) return why;
  const again = `call wait_for_execution again with execution_id ${execution_id}`;
  // An ended run whose health is unknown has files that nobody reports on any more.
  if (now.health === undefined && status !== 'unknown')
    return `its health is unknown: get_workflow_monitor reports why${status === 'running' ? `; then ${again}` : ''}`;
  if (isUnderWay(now)) {
    const isSlow = now.health === 'slow' || (now.driving?.in_hand.overdue ?? 0) > 0;
    return isSlow ? `it is slow: get_workflow_monitor reports what is overdue; then ${again}` : again;
  }
  if (status === 'unknown') return 'nothing more has been heard from it; get_workflow_monitor has the details';
  const { slices_failed, stf_failed } = now.execution;
  const failed = slices_failed > 0 ? counted(slices_failed, 'slice') : counted(stf_failed, 'STF file');
  return `it has ended${slices_failed + stf_failed === 0 ? '' : `, and ${failed} failed`}; get_workflow_monitor has the details`;
}

function look({ queries }: LiveContext, executionId: string) {
  const asked = queries();
  return asked.snapshot(() => {
    const execution = asked.execution(executionId);
    const { sites } = sitesPart(execution, { queries: asked });
    const shows = { ...execution, sites: JSON.stringify(sites) };
    return { ...asked.assess(execution, Date.now()), execution, sites, shows, data_as_of: asked.dataAsOf() };
  });
}
