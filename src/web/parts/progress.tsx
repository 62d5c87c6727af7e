import type { Monitor } from '../shared/answers.ts';
import { count, percent } from '../shared/format.ts';
import { countsNow } from '../state/moment.ts';
import { Bar } from './card.tsx';

/** The slices of an execution. Prompt processing makes none. */
export function Progress({ monitor }: { monitor: Monitor }) {
  if (monitor.sites !== undefined) return null;
  const { created, completed, failed, processing, queued } = countsNow(monitor);
  const total = Math.max(monitor.progress?.slices_planned ?? 0, created);
  return <Bar total={total} parts={{ completed, failed, processing, queued }} />;
}

/**
 * What a card counts: slices, or in prompt processing STF files, with those that PanDA is done with at each
 * site.
 */
export function whatWords(monitor: Monitor, over: number): string {
  const { sites, progress } = monitor;
  if (sites === undefined)
    return `${count(over)} of ${count(progress?.slices_planned ?? countsNow(monitor).created)} slices`;
  const places = sites.flatMap(({ site = 'PanDA', processed }) =>
    processed === undefined ? site : `${site} ${count(processed)} processed`,
  );
  return ['STF files', ...places].join(', ');
}

/** The share of the planned slices that are final; without a plan, the slices that have a result. */
export function doneWords({ progress, sites, stf_count }: Monitor, over: number): string {
  if (sites !== undefined) return count(stf_count);
  const { slices_planned: planned, slices_final = over } = progress ?? {};
  return planned === undefined ? count(over) : percent(slices_final, planned, 0);
}
