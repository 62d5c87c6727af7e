import type { Health } from '../../domain/states.ts';
import { processingUnheard } from '../../domain/workflows.ts';
import { wholeDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { withPlainTimes } from '../../lib/words.ts';
import { promptFiles } from '../../tools/monitor/words.ts';
import { siteWords } from '../../tools/shared/sites.ts';
import type { Paint, Shade } from '../shared/palette.ts';
import type { Snapshot } from './snapshot.ts';

/** One stage of an execution, as drawn. */
export interface Stage {
  label: string;
  /** The stage's items by state. */
  segments: readonly Segment[];
  done: number;
  /** The number of items of the whole run; undefined if unknown. */
  total: number | undefined;
  /** Items per second. */
  rate: number | undefined;
  unit: string;
  health: Health;
  /** Set if there is a better estimate than the one from the rate. */
  secondsLeft?: number | undefined;
  /** Whether the stage may take arbitrarily longer than `secondsLeft`. */
  isOpenEnded?: boolean;
  /** Whether an unknown number of items will still arrive, so that the remaining items are only a backlog. */
  isEndless?: boolean;
}

interface Segment {
  shade: Shade;
  n: number;
}

export const labelWidth = 12;
const countsWidth = 14;
const rateWidth = 16;
const leftWidth = 16;
const widestBar = 50;
const narrowestBar = 6;

/** One line: label, bar, counts, rate and the time left. */
export function stageBar(stage: Stage, { paint, width }: { paint: Paint; width: number }) {
  const { label, segments, done, total } = stage;
  const isNarrow = width < labelWidth + 2 + countsWidth + rateWidth + leftWidth + narrowestBar;
  // If there is no room for both, the time left is more useful than the rate.
  const rateRoom = isNarrow ? 0 : rateWidth;
  const beside = labelWidth + 2 + countsWidth + rateRoom + leftWidth;
  const barWidth = Math.min(widestBar, Math.max(narrowestBar, width - beside));
  const drawn = total === undefined ? ' '.repeat(barWidth + 2) : `[${bar(segments, total, barWidth, paint)}]`;
  const counts = ` ${total === undefined ? done : `${done}/${total}`}`;
  const rate = (isNarrow ? '' : shownRate(stage)).padEnd(rateRoom);
  return `${label.padEnd(labelWidth)}${drawn}${counts.padEnd(countsWidth)}${rate}${timeLeft(stage)}`.trimEnd();
}

const glyphs: Readonly<Partial<Record<Shade, string>>> = { completed: '#', failed: '!', processing: '=', queued: '-' };

/** The parts of a whole, side by side. Any part with at least one item is visible; the rest of the bar is blank. */
function bar(segments: readonly Segment[], total: number, width: number, paint: Paint) {
  let left = width;
  let sum = 0;
  let drawn = 0;
  const parts = segments.map(({ shade, n }) => {
    sum += n;
    const upTo = Math.floor((Math.min(sum, total) / Math.max(1, total)) * width);
    const cells = Math.min(left, Math.max(n > 0 ? 1 : 0, upTo - drawn));
    drawn += cells;
    left -= cells;
    return paint(shade, (glyphs[shade] ?? '').repeat(cells));
  });
  return parts.join('') + ' '.repeat(left);
}

function shownRate({ done, total, rate, unit, health }: Stage) {
  const isOver = total !== undefined && done >= total;
  if (rate === undefined || done === 0 || isOver || health === 'paused' || health === 'stalled') return '';
  const digits = rate >= 100 ? 0 : rate >= 1 ? 1 : 2;
  return `${rate.toFixed(digits)} ${unit}`;
}

function timeLeft({ done, total, rate, secondsLeft, isOpenEnded, isEndless, health }: Stage) {
  if (total === undefined || health === 'finished' || health === 'failed') return '';
  if (done >= total) return 'done';
  if (health === 'paused' || health === 'stalled') return health;
  const seconds = secondsLeft ?? (rate === undefined ? undefined : (total - done) / rate);
  if (seconds === undefined) return '';
  const shown = wholeDuration(Math.max(1, seconds));
  if (isEndless === true) return `${shown} behind`;
  return isOpenEnded === true ? `over ${shown}` : `${shown} left`;
}

/** A line with its label. */
export const labelled = (label: string, words: string) => `${label.padEnd(labelWidth)}${words}`;

/**
 * The STF files of prompt processing, in total and for each site. The public programs have a single site,
 * without a name.
 */
export const fileLines = ({ execution, record }: Snapshot, sites: NonNullable<Snapshot['sites']>) => [
  labelled(
    'STF files',
    promptFiles(String(execution.stf_count), execution, record) +
      (execution.processing_unheard === 1 ? `; ${processingUnheard}` : ''),
  ),
  ...sites.map(({ site = 'PanDA', ...work }) => labelled(`${printable(site)} `, withPlainTimes(siteWords(work)))),
];
