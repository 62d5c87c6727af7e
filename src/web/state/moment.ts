import { spanOf } from '../draw/span.ts';
import type { Monitor, Timeline } from '../shared/answers.ts';
import { world } from '../transport/call.ts';
import { useMonitorAt, useVerdict } from './asking.ts';
import type { PageProps } from './route.ts';

interface Asked {
  monitor: Monitor;
  params: PageProps['params'];
  line: Timeline | undefined;
  isOver: boolean;
}

/**
 * An execution as shown: now, or at the moment in the address once the server has answered for it. Until then
 * the previous moment is shown, if there was one. A report has no server to ask.
 */
export function useShown(id: string, { monitor, params, line, isOver }: Asked) {
  const asOf = asOfFrom(params, line);
  const moment = useMoment(params);
  const verdict = useVerdict(id, isOver);
  const { past, isAwaited, fault } = useMonitorAt(id, moment);
  return past === undefined
    ? {
        monitor,
        verdict,
        isAwaited,
        counts: asOf === undefined || line === undefined ? countsNow(monitor) : countsAt(line, asOf),
        asOf,
        isNow: (moment ?? asOf) !== undefined,
        moment: undefined,
        fault,
      }
    : {
        monitor: past.monitor,
        verdict: undefined,
        isAwaited,
        counts: countsNow(past.monitor),
        asOf,
        isNow: false,
        moment: past.moment,
        fault,
      };
}

/** The moment in the address, if valid; undefined in a report, which has no server to ask. */
function useMoment({ asof }: Readonly<Record<string, string>>) {
  return world.kind === 'report' || Number.isNaN(timeOfMoment(asof)) ? undefined : asof;
}

/** The time of `TIME` or `TIME@MESSAGE_ID`, in milliseconds since 1970; NaN for anything else. */
export const timeOfMoment = (asof = '') => Date.parse(asof.split('@')[0] ?? '');

function asOfFrom({ asof }: Readonly<Record<string, string>>, whole: Timeline | undefined) {
  const at = timeOfMoment(asof);
  if (Number.isNaN(at) || whole === undefined || at >= spanOf(whole).until) return undefined;
  // Show the end of the bin, which is the time of its counts: bins may have become longer since the address was
  // made.
  return endOf(whole, binOf(whole, at));
}

export const countsNow = (monitor: Monitor) => ({
  created: monitor.slices_created ?? 0,
  completed: monitor.slices_completed ?? 0,
  failed: monitor.slices_failed ?? monitor.stf_failed ?? 0,
  /** Slices in progress with workers that are alive. */
  processing: (monitor.slices_processing ?? 0) - (monitor.slices_to_redo ?? 0),
  // For an observed execution, no message says whether a slice is waiting or in progress.
  queued: monitor.slices_queued ?? monitor.slices_unanswered ?? 0,
  /** Slices held by workers that are gone. */
  lost: monitor.slices_to_redo ?? 0,
  /** Whether `failed` counts only slices that failed permanently. */
  isExhausted: monitor.status !== 'running',
});

/** The bin that contains a time; a boundary between two bins belongs to the earlier one. */
export function binOf(whole: Timeline, at: number) {
  const { from, bin: length } = spanOf(whole);
  return Math.min(whole.bins - 1, Math.max(0, Math.ceil((at - from) / length - 0.001) - 1));
}

/** The end of a bin, which is the time of its counts. */
export function endOf(whole: Timeline, bin: number) {
  const { from, bin: length } = spanOf(whole);
  return from + (bin + 1) * length;
}

/** The counts at the end of the bin that contains a time. */
function countsAt(whole: Timeline, at: number) {
  const bin = binOf(whole, at);
  const upTo = (values: readonly number[]) => values.slice(0, bin + 1).reduce((sum, value) => sum + value, 0);
  const { series } = whole;
  return {
    created: upTo(series.arrived),
    completed: upTo(series.completed),
    failed: upTo(series.exhausted),
    processing: series.processing[bin] ?? 0,
    queued: series.queued[bin] ?? 0,
    lost: 0,
    isExhausted: true,
  };
}
