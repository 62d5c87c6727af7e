import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';

import type { Health } from '../../domain/states.ts';
import { printable } from '../../lib/logger.ts';
import { wholeDuration } from '../duration.ts';
import type { Paint, Shade } from './palette.ts';
import type { Rates, Snapshot } from './snapshot.ts';

export interface ViewOptions {
  /** Of the terminal. */
  columns: number;
  paint: Paint;
  /** Wall time in milliseconds since the epoch. */
  now: number;
  /** `--db` again, for commands that are to be typed next. */
  storeOption?: string;
}

const shadeOfHealth: Readonly<Record<Health, Shade>> = {
  progressing: 'processing',
  slow: 'warning',
  paused: 'idle',
  draining: 'processing',
  stalled: 'failed',
  finished: 'completed',
  failed: 'failed',
};

const labelWidth = 12;
const widestBar = 50;
/** Beside a bar: its label, brackets, counts, rate, time left. */
const besideBar = labelWidth + 2 + 14 + 16 + 16;

/**
 * An execution as a few calm lines for a terminal: what it is, a bar a stage, who works, what happened last, what failed.
 * Every line fits in `columns`, and everything that a colour says, a word or a glyph says too.
 */
export function renderView(
  snapshot: Snapshot,
  rates: Rates,
  { columns, paint, now, storeOption = '' }: ViewOptions,
): string[] {
  const { execution, health, progress, slots, speed, retries, exhausted, last, error, secondsLeft } = snapshot;
  const width = Math.max(10, columns - 1);
  const barWidth = Math.min(widestBar, Math.max(6, width - besideBar));
  const end = execution.end_time === null ? now : Date.parse(execution.end_time);
  const elapsed = wholeDuration(Math.max(0, end - Date.parse(execution.start_time)) / 1000);
  const simulated = progress.simulation_tick === null ? '' : `, simulated ${wholeDuration(progress.simulation_tick)}`;
  const planned = progress.slices_planned ?? execution.slices_created;
  const waiting = execution.slices_failed - exhausted;
  const stage = (label: string, segments: Segment[], done: number, total: number | undefined, rate: Rate): string =>
    [
      label.padEnd(labelWidth),
      total === undefined ? ' '.repeat(barWidth + 2) : `[${bar(segments, total, barWidth, paint)}]`,
      ` ${total === undefined ? done : `${done}/${total}`}`.padEnd(14),
      (rate.rate === undefined || (total !== undefined && done >= total)
        ? ''
        : `${shortRate(rate.rate)} ${rate.unit}`
      ).padEnd(16),
      timeLeft(done, total, rate, health),
    ]
      .join('')
      .trimEnd();
  const lines = [
    spread(`${execution.execution_id}  run ${execution.run_number}`, elapsed, width),
    `${paint(shadeOfHealth[health], ` ${health} `)} ${execution.status === 'running' ? '' : `${execution.status}, `}phase ${execution.phase}${simulated}, speed ${speed}, namespace ${execution.namespace}`,
    '',
    stage('STF files', [{ shade: 'completed', n: progress.stf_ready }], progress.stf_ready, progress.stf_planned, {
      rate: rates.stfs,
      unit: 'STF/s',
    }),
    stage(
      'TF samples',
      [{ shade: 'completed', n: execution.tf_files_received }],
      execution.tf_files_received,
      progress.tf_files_planned,
      { rate: rates.samples, unit: 'samples/s' },
    ),
    stage(
      'TF slices',
      [
        { shade: 'completed', n: execution.slices_completed },
        { shade: 'failed', n: execution.slices_failed },
        { shade: 'processing', n: execution.slices_processing },
        { shade: 'queued', n: execution.slices_queued },
      ],
      progress.slices_final,
      planned === 0 ? undefined : planned,
      // What is still to come, and workers who finish all at once, are in the plan and not in the rate.
      { rate: rates.slices, unit: 'slices/s', left: secondsLeft },
    ),
    [
      ' '.repeat(labelWidth),
      `${paint('completed', '#')} ${execution.slices_completed} completed  `,
      `${paint('processing', '=')} ${execution.slices_processing} processing  `,
      `${paint('queued', '-')} ${execution.slices_queued} queued  `,
      `${paint('failed', '!')} ${execution.slices_failed} failed`,
    ].join(''),
    `${'workers'.padEnd(labelWidth)}${busyWorkers(snapshot)} of ${slots} busy`,
    `${'failures'.padEnd(labelWidth)}${failures(exhausted, waiting, retries)}`,
    ...(error === undefined
      ? []
      : wrapped('last error', `${error.timestamp.slice(11, 19)} ${printable(error.message)}`, width)),
    `${'last event'.padEnd(labelWidth)}${last === undefined ? 'none' : `${last.sent_at.slice(11, 19)} ${eventOf(last.message_id)}`}`,
    ...advice(snapshot, storeOption),
  ];
  return lines.map((line) => cut(line, width));
}

interface Rate {
  rate: number | undefined;
  unit: string;
  /** Seconds, where they are known better than by the rate. */
  left?: number | undefined;
}

interface Segment {
  shade: Shade;
  n: number;
}

const glyphs: Readonly<Partial<Record<Shade, string>>> = { completed: '#', failed: '!', processing: '=', queued: '-' };

/** Parts of a whole side by side. What there is at least one of is seen; what is not there yet is left blank. */
function bar(segments: Segment[], total: number, width: number, paint: Paint): string {
  let left = width;
  let sum = 0;
  let drawn = 0;
  const parts = segments.map(({ shade, n }) => {
    sum += n;
    const upTo = Math.round((Math.min(sum, total) / Math.max(1, total)) * width);
    const cells = Math.min(left, Math.max(n > 0 ? 1 : 0, upTo - drawn));
    drawn += cells;
    left -= cells;
    return paint(shade, (glyphs[shade] ?? '').repeat(cells));
  });
  return parts.join('') + ' '.repeat(left);
}

function shortRate(rate: number): string {
  return rate >= 100 ? rate.toFixed(0) : rate >= 1 ? rate.toFixed(1) : rate.toFixed(2);
}

function timeLeft(done: number, total: number | undefined, { rate, left }: Rate, health: Health): string {
  if (total === undefined || health === 'finished' || health === 'failed') return '';
  if (done >= total) return 'done';
  if (health === 'paused' || health === 'stalled') return health;
  const seconds = left ?? (rate === undefined ? undefined : (total - done) / rate);
  return seconds === undefined ? '' : `${wholeDuration(Math.max(1, seconds))} left`;
}

/** Slices keep the state that they had; nobody works on them where nobody drives the execution any more. */
function busyWorkers({ execution, health }: Snapshot): number {
  return execution.status === 'running' && health !== 'stalled' ? execution.slices_processing : 0;
}

function failures(exhausted: number, waiting: number, retries: number): string {
  if (exhausted === 0 && retries === 0 && waiting === 0) return 'none';
  const parts = [`${exhausted} stay failed`, `${retries} retries`];
  return [...parts, ...(waiting === 0 ? [] : [`${waiting} to be tried again`])].join(', ');
}

/** A message by what its id says: its type and what it is about. */
function eventOf(messageId: string): string {
  const [first = '', ...parts] = messageId.split('/');
  const [type = '', about = '', attempt = '1'] = first === 'run_workflow' ? [first] : parts;
  return printable([type, about, ...(Number(attempt) > 1 ? [`attempt ${attempt}`] : [])].join(' ').trimEnd());
}

/** A text on up to two lines behind its label. */
function wrapped(label: string, text: string, width: number): string[] {
  const room = width - labelWidth;
  const first = sliceAnsi(text, 0, room);
  // Between words, where there are any.
  const breakAt = first.length < text.length && first.includes(' ') ? first.lastIndexOf(' ') : first.length;
  const rest = text.slice(breakAt).trim();
  return [label.padEnd(labelWidth) + text.slice(0, breakAt), ...(rest === '' ? [] : [' '.repeat(labelWidth) + rest])];
}

/** What to do next, where somebody has to do something. */
function advice({ health, isHeld, driver, execution }: Snapshot, storeOption: string): string[] {
  const { execution_id } = execution;
  if (health === 'stalled' && driver?.isAlive === true)
    return [
      '',
      `its process ${driver.pid} on ${driver.hostname} has not been heard for a while; look whether it is stopped`,
    ];
  // What is to be copied stands alone on its line.
  const next = (name: string): string => `  swf-mcp${storeOption} ${name} ${execution_id}`;
  if (health === 'stalled') return ['', 'its process is gone; go on with', next('resume')];
  if (health === 'paused' && isHeld) return ['', 'an operator has paused it; go on with', next('continue')];
  return [];
}

function spread(left: string, right: string, width: number): string {
  return `${left}${' '.repeat(Math.max(1, width - left.length - right.length))}${right}`;
}

/** Cuts a line that is too long, and shows that it was cut. */
function cut(line: string, width: number): string {
  return stringWidth(line) > width ? `${sliceAnsi(line, 0, width - 1)}…` : line;
}
