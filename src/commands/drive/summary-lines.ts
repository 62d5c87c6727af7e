import { type StageDelay, stagesForPeople } from '../../domain/stages.ts';
import { counted } from '../../lib/counted.ts';
import { duration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import type { Ending } from './ending.ts';

/** The summary for people. The result and the next command come last, where a terminal of twenty lines shows them. */
export function summaryLines(ending: Ending, dataFolder: string | undefined, storeOption: string): string[] {
  const { summary, stfsReady, retries, simulated } = ending;
  const rest = summary.slices_created - summary.slices_completed - summary.slices_failed;
  const failed = summary.slices_failed > 0;
  const unfinished = rest === 0 ? '' : `, ${rest} unfinished`;
  const again = retries === 0 ? '' : `; ${retries} ${retries === 1 ? 'retry' : 'retries'}`;
  const all = summary.status === 'completed' && stfsReady === summary.stf_count;
  const ready = all ? 'all processed' : `${stfsReady} ready`;
  const branches: Branch[] = [
    ...(ending.delays.length === 0 ? [] : [delayBranch(ending.delays)]),
    [`messages    ${summary.messages}`],
    ...(dataFolder === undefined ? [] : [[`files       ${dataFolder}`] as Branch]),
    [
      `duration    ${duration(summary.duration_seconds)}${simulated === null ? '' : `, simulated ${duration(simulated)}`}`,
    ],
    [`STF files   ${summary.stf_count}${summary.stf_count === 0 ? '' : ` (${ready})`}`],
    [`TF samples  ${summary.tf_files_received}`],
    [
      `TF slices   ${summary.slices_created}: ${summary.slices_completed} completed, ${summary.slices_failed} failed${unfinished}${again}`,
    ],
    [`result      ${resultOf(ending)}`],
    [
      `next        swf-mcp${storeOption} ${failed ? `slices ${summary.execution_id} --status failed` : `status ${summary.execution_id}`}`,
    ],
  ];
  return [`Run ${summary.run_number}, execution ${summary.execution_id}: ${verdictOf(ending)}`, ...tree(branches)];
}

const verdictOf = ({ summary: { status }, reason }: Ending): string =>
  `${status}${reason === undefined || reason === status ? '' : ` (${printable(reason)})`}`;

/** How it ended, and whether all is well. */
const resultOf = (ending: Ending): string =>
  `${verdictOf(ending)}${ending.summary.slices_failed > 0 ? `, ${counted(ending.summary.slices_failed, 'slice')} ${ending.summary.slices_failed === 1 ? 'stays' : 'stay'} failed` : ''}`;

/** A line and the lines under it. */
type Branch = [string, ...string[]];

const tree = (branches: Branch[]): string[] =>
  branches.flatMap(([head, ...below], index) => {
    const isLast = index === branches.length - 1;
    return [
      `${isLast ? '└──' : '├──'} ${head}`,
      ...below.map((line, place) => `${isLast ? ' ' : '│'}   ${place === below.length - 1 ? '└──' : '├──'} ${line}`),
    ];
  });

/** The median, the time that 95 of 100 stay below, and the longest. */
function delayBranch(delays: StageDelay[]): Branch {
  const rows = delays.map(({ stage, p50, p95, max }) => [stagesForPeople(stage), ...[p50, p95, max].map(duration)]);
  const [head = '', ...lines] = alignedLines([['delays', 'p50', 'p95', 'max'], ...rows], 4);
  return [head, ...lines];
}

/** Rows as lines, with the first column left-aligned and the others right-aligned. Rows after the first are `indent` deeper. */
export function alignedLines(rows: string[][], indent = 0): string[] {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row, place) => (row[at] ?? '').length - (at === 0 && place === 0 ? indent : 0))),
  );
  return rows.map((row, place) =>
    row
      .map((cell, at) => {
        if (at === 0) return cell.padEnd((widths[0] ?? 0) + (place === 0 ? indent : 0));
        return cell.padStart((widths[at] ?? 0) + 2);
      })
      .join(''),
  );
}
