import type { SummaryQuestion } from '../../db/summaries/question.ts';
import { messageEffects } from '../../domain/effects.ts';
import { sliceStatuses } from '../../domain/slice-states.ts';
import { executionStatuses, stfStatuses } from '../../domain/states.ts';
import { timeFields, summaryKeys, type SummaryKey } from '../../domain/summary-words.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { closest } from '../../lib/suggest.ts';
import { nowhereNote } from '../shared/nowhere.ts';
import { parseWindow, requireRun, resolveExecution } from '../shared/params.ts';
import type { ToolContext } from '../shared/tool.ts';

/** The arguments of `summarize`, as far as they say which rows. */
export interface SummaryArguments extends Omit<SummaryQuestion, 'keys' | 'time_field'> {
  group_by: string;
  run_number?: number | undefined;
  time_field?: SummaryQuestion['time_field'] | undefined;
  order_by?: string | undefined;
}

/** The question that the arguments ask. Throws `ARGUMENT_INVALID` if they do not fit together. */
export function questionOf(args: SummaryArguments, context: ToolContext): SummaryQuestion {
  const { what, time_field = 'created', run_number, status, assigned_worker } = args;
  refuseUnfit(args, time_field);
  requireRun(run_number, context);
  const ofRun = run_number === undefined ? undefined : context.queries.executionOfRun(run_number);
  const execution_id = resolveExecution(args.execution_id, context) ?? ofRun;
  if (ofRun !== undefined && ofRun !== execution_id)
    throw argumentInvalid(`run_number ${run_number} is that of ${ofRun}; give one of both`);
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

function keysOf(what: SummaryQuestion['what'], asked: string): SummaryKey[] {
  const allowed: readonly string[] = summaryKeys[what];
  const keys = asked.split(',').map((key) => key.trim());
  const wrong = keys.find((key) => !allowed.includes(key));
  if (wrong !== undefined || keys.length > 2 || new Set(keys).size < keys.length) {
    const near = wrong === undefined ? undefined : closest(wrong, allowed);
    throw argumentInvalid(
      `group_by = ${JSON.stringify(asked.slice(0, 80))}: ${near === undefined ? '' : `the nearest is ${near}; `}give one or two of ${allowed.join(', ')} for ${what}`,
    );
  }
  return keys as SummaryKey[];
}

/** The states that a kind of rows can have, and the times. */
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

/** Refuses a filter that a kind of rows does not have: it would be silently ignored. */
function refuseUnfit({ what, status, assigned_worker, namespace, order_by }: SummaryArguments, time: string): void {
  const refuse = (given: string, instead: string): never => {
    throw argumentInvalid(`${given} does not fit what="${what}"; ${instead}`);
  };
  if (status !== undefined && statesOf[what]?.includes(status) !== true)
    refuse(
      `status = ${JSON.stringify(status.slice(0, 80))}`,
      statesOf[what] === undefined
        ? 'lines have levels: group_by="level"'
        : `its states are ${statesOf[what].join(', ')}`,
    );
  if (assigned_worker !== undefined && what !== 'slices') refuse('assigned_worker', 'only slices have workers');
  if (namespace !== undefined && what === 'logs') refuse('namespace', 'give execution_id');
  const hasCounts = what === 'messages' || what === 'logs';
  if (hasCounts && (order_by === 'failed' || order_by === 'seconds'))
    refuse(`order_by = "${order_by}"`, 'they are counted: count or key');
  if (!timesOf[what].includes(time)) refuse(`time_field = "${time}"`, `its times are ${timesOf[what].join(', ')}`);
}

/** Why there are no groups. */
export function emptyNote(args: SummaryArguments, question: SummaryQuestion, context: ToolContext): string {
  const nowhere = nowhereNote({ ...args }, { namespace: 'namespace', assigned_worker: 'worker' }, question, context);
  return nowhere ?? 'nothing fits: there are no such rows, or none in that time';
}
