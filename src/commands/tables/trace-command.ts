import { outputsPlace } from '../../domain/file-names.ts';
import { duration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { clause, csvText, textOf, withPlainTimes } from '../../lib/words.ts';
import type { Trace } from '../../tools/answers/reports.ts';
import { traceDataProductTool } from '../../tools/trace-data-product.ts';
import { askTool } from '../ask/ask-tool.ts';
import type { Io } from '../shared/io.ts';
import { type ShownColumn, tableLines } from '../shared/layout.ts';
import { printJson, printLines } from '../shared/print-lines.ts';
import type { Output } from './catalogue.ts';
import { namesOf, shortError } from './cells.ts';
import { fieldsOf } from './filters.ts';

const kinds = { stf: 'STF file', tf: 'TF sample', slice: 'TF slice' } as const;

const columns: readonly ShownColumn<Trace['hops'][number]>[] = [
  // The date is above the table.
  { head: 'TIME (UTC)', of: ({ time }) => time.slice(11, 23) },
  {
    head: 'AFTER',
    align: 'right',
    of: ({ delay_seconds }) => (delay_seconds === undefined ? undefined : duration(delay_seconds)),
  },
  { head: 'MESSAGE', of: 'type' },
  { head: 'ATTEMPT', align: 'right', drop: 2, of: 'attempt' },
  { head: 'BY', cut: 'start', least: 10, drop: 1, of: ({ worker, by }) => worker ?? by },
  { head: 'OUTCOME', of: ({ outcome, effect }) => (effect === 'applied' ? outcome : effect) },
  { head: 'NOTE', cut: 'middle', least: 14, shorten: shortError, of: ({ note }) => note },
];

interface TraceArguments {
  filename: string;
  output: Output;
  asOf?: string;
}

/** `swf-mcp trace FILE`: the path of a file through the workflow, as text for a person. */
export async function traceCommand(io: Io, { filename, output, asOf }: TraceArguments) {
  const answer = await askTool(io, traceDataProductTool, { filename, as_of: asOf });
  if (output === 'json') printJson(io, answer);
  // CSV has the same fields as JSON.
  else if (output === 'csv') io.out(csvText(fieldsOf('trace_data_product', 'hops'), answer.hops));
  else if (output === 'wide')
    io.out(
      `${linesOf(answer, undefined)
        .map((line) => withPlainTimes(printable(line)))
        .join('\n')}\n`,
    );
  else printLines(io, linesOf(answer, io.terminal('out')?.columns()));
}

/** How a slice was processed, one fact per line. */
function factLines({ payload, slice = {} }: Pick<Trace, 'payload' | 'slice'>) {
  const { host, exit_code, signal, outputs = [], outputs_omitted = 0, outputs_folder } = slice;
  const written = outputs.length + outputs_omitted;
  const facts = {
    payload,
    host,
    'exit code': exit_code,
    signal,
    outputs:
      outputs_folder &&
      `${written} in ${outputsPlace(outputs_folder, host)}: ${namesOf(outputs)}${outputs_omitted > 0 ? ' …' : ''}`,
  };
  return Object.entries(facts).flatMap(([fact, value]) => (value === undefined ? [] : [`${fact} ${value}`]));
}

function linesOf(answer: Trace, width: number | undefined) {
  const { filename, kind, execution_id, status, standing, hops, total_seconds, slices, logs } = answer;
  const counts = Object.entries(slices ?? {}).map(([state, n]) => `${n} ${state}`);
  return [
    `${kinds[kind]} ${filename} of ${execution_id}: ${status}${clause(', ', total_seconds === undefined ? undefined : duration(total_seconds), ' in all')}, from ${textOf(hops[0]?.time)}`,
    ...(standing === undefined || standing === status ? [] : [standing]),
    ...factLines(answer),
    ...(slices === undefined ? [] : [`slices: ${counts.join(', ')}`]),
    ...tableLines(columns, hops, width),
    ...(answer.more_hops === true ? ['there are more messages than shown'] : []),
    ...logs.map(({ time, agent, message }) => `${time} ${agent}: ${message}`),
  ];
}
