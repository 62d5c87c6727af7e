import type { Monitor } from '../shared/answers.ts';
import { count, percent } from '../shared/format.ts';
import { countsNow } from '../state/moment.ts';
import { Bar } from './card.tsx';

/** Whether slices are counted: prompt processing makes none, and elsewhere they may not be seen. */
const areCounted = ({ slices_completed }: Monitor) => slices_completed !== undefined;

/** The slices of an execution, where they are counted. */
export function Progress({ monitor }: { monitor: Monitor }) {
  if (!areCounted(monitor)) return null;
  const { created, completed, failed, processing, queued } = countsNow(monitor);
  const total = Math.max(monitor.progress?.slices_planned ?? 0, created);
  return <Bar total={total} parts={{ completed, failed, processing, queued }} />;
}

/** What a card counts: slices, else STF files, in prompt processing with those that PanDA is done with at each site. */
export function whatWords(monitor: Monitor, over: number): string {
  const { sites = [], progress } = monitor;
  if (areCounted(monitor))
    return `${count(over)} of ${count(progress?.slices_planned ?? countsNow(monitor).created)} slices`;
  const places = sites.flatMap(({ site = 'PanDA', processed }) =>
    processed === undefined ? site : `${site} ${count(processed)} processed`,
  );
  return ['STF files', ...places].join(', ');
}

/** The share of the planned slices that are final; without a plan, the slices that have a result, else the STF files. */
export function doneWords(monitor: Monitor, over: number): string {
  if (!areCounted(monitor)) return count(monitor.stf_count);
  const { slices_planned: planned, slices_final = over } = monitor.progress ?? {};
  return planned === undefined ? count(over) : percent(slices_final, planned, 0);
}
