import type { ValueKind } from '../../db/lists/known-values.ts';
import { clipShown } from './clip.ts';
import type { ToolContext } from './tool.ts';

const shown = 80;

/**
 * Explains an empty list if a filter names something that exists nowhere: a misspelt name must not pass for "there is nothing". Undefined if every
 * value exists.
 */
export function nowhereNote(
  args: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, ValueKind>>,
  { execution_id }: { execution_id?: string | undefined },
  { queries }: Pick<ToolContext, 'queries'>,
): string | undefined {
  const notes = Object.entries(values).flatMap(([name, kind]) => {
    const value = args[name];
    if (typeof value !== 'string') return [];
    const near = queries.nearestKnown(kind, value);
    if (near === undefined) return [];
    const there =
      near.length === 0
        ? `there is no ${kind} yet`
        : `the nearest are ${near.map((one) => clipShown(one, shown)).join(', ')}`;
    return `${name} ${JSON.stringify(clipShown(value, shown))} is found nowhere; ${there}.`;
  });
  const run = args['run_number'];
  if (typeof run === 'number' && execution_id !== undefined) {
    const owner = queries.executionOfRun(run);
    if (owner !== undefined && owner !== execution_id)
      notes.push(`run_number ${run} is that of ${owner}, not of ${execution_id}.`);
  }
  return notes.length === 0 ? undefined : notes.join(' ');
}
