import type { ExecutionRow } from '../db/execution/find-execution.ts';
import type { ExecutionFilter, ListedExecution } from '../db/lists/executions.ts';
import type { Page } from '../db/lists/list-query.ts';
import { optionalBoolean } from '../domain/fields.ts';
import { qualities } from '../domain/logbook-words.ts';
import { executionStatuses, type Health, healthsUnderWay, origins } from '../domain/states.ts';
import { statusReasonOf } from '../domain/workflows.ts';
import { SwfError } from '../lib/errors.ts';
import { plannedSlices } from '../monitoring/progress.ts';
import { clipShown } from './shared/clip.ts';
import { defineList } from './shared/list.ts';
import { failedFiles } from './shared/sites.ts';
import { choice, integer, namespace, text, type ToolContext } from './shared/tool.ts';

const shownReason = 200;

const noSlices = { slices_created: undefined, slices_completed: undefined, slices_failed: undefined };

function removalNote({ queries }: ToolContext) {
  const last = queries.lastRemoval();
  if (last === undefined) return undefined;
  const { count, execution_id } = last;
  const more = count === 1 ? '' : `, and ${count - 1} before it`;
  return `${execution_id} was removed${last.words}${more}; removed executions are not listed.`;
}

/**
 * The known facts about an execution; undefined if its rows are damaged, since damaged rows must not hide other
 * executions.
 */
function ifReadable<T>(look: () => T) {
  try {
    return look();
  } catch (error) {
    if (error instanceof SwfError) return undefined;
    throw error;
  }
}

/** Maximum number of executions to assess for one page. */
const maxAssessed = 200;

/**
 * A page of executions with a given health. Health is not stored: executions are assessed until the page is
 * full.
 */
function pageOfHealth({ queries, now }: ToolContext, health: Health, filter: ExecutionFilter, page: Page) {
  const among = queries.executionsUnderWay();
  const rows: ListedExecution[] = [];
  let { after } = page;
  for (let assessed = 0; ;) {
    const found = queries.executions({ ...filter, among }, { ...page, after, uncounted: true });
    for (const row of found.rows) {
      if (rows.length > page.limit) break;
      assessed += 1;
      if (ifReadable(() => queries.health(row, now)) === health) rows.push(row);
    }
    after = found.scanStoppedAt ?? found.rows.at(-1)?.key;
    const isFull = rows.length > page.limit;
    const isEnd = isFull || !found.has_more;
    if (!isEnd && assessed < maxAssessed) continue;
    const has_more = isFull || found.has_more;
    return {
      rows: rows.slice(0, page.limit),
      total_count: rows.length,
      // This count does not include the earlier pages.
      total_is_lower_bound: has_more || page.after !== undefined,
      has_more,
      scanStoppedAt: isEnd ? undefined : after,
    };
  }
}

/** The planned number of slices in a whole run. */
function plannedOf(row: ExecutionRow, { queries }: ToolContext) {
  const params = queries.knownParams(row);
  return params && plannedSlices(params);
}

/** A note about messages that belong to no execution in the list. */
function endNote(context: ToolContext) {
  const waiting = context.queries.messagesWithoutExecution();
  const notes = [removalNote(context), waiting && `${waiting}.`];
  return notes.filter((note) => note !== undefined).join(' ') || undefined;
}

export const listWorkflowExecutionsTool = defineList({
  name: 'list_workflow_executions',
  title: 'List workflow executions',
  description:
    'What is running now, for whom, in which namespace, and how did earlier runs end? start_time and end_time select executions active between them. ' +
    'Start here if you have no execution_id.',
  input: () => ({
    namespace,
    status: choice(executionStatuses, 'State of the execution'),
    health: choice(healthsUnderWay, 'While running'),
    executed_by: text('Who started it'),
    workflow_name: text('Such as prompt_processing'),
    site: text('Site that processes its STF files'),
    origin: choice(origins, 'own: run by swf-mcp; observed: by others'),
    quality: choice(qualities, 'Set by a person'),
    has_failures: optionalBoolean.describe('With or without failures'),
    min_stf_count: integer(0, Number.MAX_SAFE_INTEGER, 'At least this many STF files'),
    config: text('Its configuration'),
    payload: text('Part of the payload command'),
    search: text('Words in notes and reasons'),
  }),
  window: 'activity',
  isWide: true,
  ask:
    (context, { health }) =>
    (question, page) =>
      health === undefined ? context.queries.executions(question, page) : pageOfHealth(context, health, question, page),
  whenEmpty: ({ queries }) => queries.awaitedFirst(),
  atEnd: endNote,
  computed: (context) => (row) => ({
    namespace: row.namespace === '' ? undefined : row.namespace,
    health: ifReadable(() => context.queries.health(row, context.now)),
    slices_planned: ifReadable(() => plannedOf(row, context)),
    status_reason: clipShown(statusReasonOf(row) ?? '', shownReason) || undefined,
    duration_seconds: context.queries.duration(row, context.now),
    silent_seconds: context.queries.silence(row, context.now),
    speed: row.speed === null ? undefined : String(row.speed),
    stf_failed: failedFiles(row),
    ...(ifReadable(() => context.queries.whySlicesUncounted(row) === undefined) === true ? {} : noSlices),
  }),
});
