import { useState } from 'preact/hooks';

import { duration } from '../../lib/duration.ts';
import { holesIn, phasesIn, type PhaseSpan, spanOf } from '../draw/span.ts';
import type { Monitor, Timeline } from '../shared/answers.ts';
import { amount, zone } from '../shared/format.ts';
import { thisMoment } from '../transport/call.ts';
import { lazy } from './banner.tsx';
import { Card } from './card.tsx';
import type { Drain, Guide, Steered } from './chart-parts.tsx';
import { TimeChart } from './chart.tsx';

const BinsTable = lazy(async () => (await import('./bins-table.tsx')).BinsTable);

interface Props extends Steered {
  monitor: Monitor;
  timeline: Timeline;
  asOf?: number | undefined;
  isCompact?: boolean;
  hasBacklog?: boolean;
}

/** Measured and expected throughput and backlog over one time axis. */
export function Flow(props: Props) {
  const { monitor, timeline, asOf, onZoom, isCompact = false, hasBacklog = true } = props;
  const [isTable, setTable] = useState(false);
  const drain = asOf === undefined && hasBacklog ? drainOf(monitor, timeline) : undefined;
  const until = Math.max(spanOf(timeline).until, drain === undefined ? 0 : drain.at + drain.most);
  return (
    <Card
      title="Throughput and backlog"
      note={
        <>
          bins of {timeline.bin_seconds} s, times in {zone}
          {onZoom && <span class="hint">; drag to select a part</span>}
        </>
      }
    >
      <PhaseStrip timeline={timeline} until={until} notes={monitor.notes} />
      {monitor.status !== 'running' && isEmpty(timeline) ? (
        <p>No slice was made or processed in this period.</p>
      ) : (
        <Charts {...props} {...{ until, drain, hasBacklog, isCompact }} />
      )}
      {!isCompact && (
        <details onToggle={(event) => setTable(event.currentTarget.open)}>
          <summary>as a table</summary>
          {isTable && <BinsTable timeline={timeline} />}
        </details>
      )}
    </Card>
  );
}

interface ChartsProps extends Props {
  until: number;
  drain: Drain | undefined;
}

function Charts({ monitor, drain, isCompact, hasBacklog, ...shared }: ChartsProps) {
  const { timeline } = shared;
  const { from, bin: step } = spanOf(timeline);
  const { queued, processing, grid } = levelsIn(timeline);
  const rate = (values: readonly number[]) => values.map((n) => n / timeline.bin_seconds);
  const height = isCompact ? 90 : 150;
  return (
    <>
      <TimeChart
        {...shared}
        title="Throughput"
        unit="slices/s"
        grid={{ from, step, count: timeline.bins }}
        lines={[
          { name: 'slices made', shade: 'queued', values: rate(timeline.series.arrived), kind: 'line' },
          { name: 'completed', shade: 'completed', values: rate(timeline.series.completed), kind: 'area' },
          { name: 'failed attempts', shade: 'failed', values: rate(timeline.series.failed_attempts), kind: 'area' },
        ]}
        guides={expectedRates(monitor, timeline)}
        height={height}
      />
      {hasBacklog && (
        <TimeChart
          {...shared}
          title="Backlog"
          unit="slices"
          grid={grid}
          lines={[
            { name: 'processing', shade: 'processing', values: processing, kind: 'stacked' },
            { name: 'queued', shade: 'queued', values: queued, kind: 'stacked' },
          ]}
          guides={slotsGuide(monitor, timeline)}
          drain={drain}
          height={height}
        />
      )}
    </>
  );
}

/** Whether there is nothing to draw: neither new slices nor a backlog. */
const isEmpty = ({ series: { arrived, queued, processing } }: Timeline) =>
  [arrived, queued, processing].every((values) => values.every((n) => n === 0));

/**
 * The levels of a picture. Each is drawn from the moment when it was reached: the end of its step or bin.
 */
function levelsIn(timeline: Timeline) {
  const { levels, series } = timeline;
  const { from, bin } = spanOf(timeline);
  const { queued, processing } = levels ?? series;
  const step = levels === undefined ? bin : levels.step * 1000;
  return { queued, processing, grid: { from: from + step, step, count: queued.length } };
}

/** Maximum number of physics periods for which to draw the planned rate. */
const maxPeriods = 60;

/** The planned rate of the DAQ and the possible rate of the workers, if there is a basis for an estimate. */
function expectedRates({ capacity, configuration, progress }: Monitor, timeline: Timeline) {
  if (capacity === undefined) return [];
  const able = (capacity.workers ?? NaN) / capacity.service_seconds;
  const { speed, stf_interval } = configuration ?? {};
  const planned = capacity.arrival_rate ?? (slicesPerStf(progress) * Number(speed)) / Number(stf_interval);
  const physics = phasesIn(timeline).filter(({ phase }) => phase === 'physics');
  const points =
    // Too many periods would merge into a solid block.
    !Number.isFinite(planned) || physics.length > maxPeriods
      ? []
      : physics.flatMap(({ from, to }): Guide['points'] => [
          [from, 0],
          [from, planned],
          [to, planned],
          [to, 0],
        ]);
  return [
    ...levelGuide(timeline, able, `capacity of ${amount(capacity.workers ?? 0, 'worker')}`),
    ...(points.length === 0 ? [] : [{ label: 'planned arrivals', shade: 'planned', points }]),
  ];
}

const slicesPerStf = (progress: Monitor['progress']) =>
  (progress?.slices_planned ?? 0) / Math.max(1, progress?.stf_planned ?? 0);

function slotsGuide({ capacity, configuration }: Monitor, timeline: Timeline) {
  const slots = capacity?.workers ?? Number(configuration?.['target_worker_count']);
  return levelGuide(timeline, slots, amount(slots, 'slot'));
}

/** A horizontal line at the workers' capacity; none if the capacity is not a finite number. */
function levelGuide(timeline: Timeline, value: number, label: string) {
  const { from, until } = spanOf(timeline);
  const points: Guide['points'] = [
    [from, value],
    [until, value],
  ];
  return Number.isFinite(value) ? [{ label, shade: 'able', points }] : [];
}

/**
 * The expected drain of the backlog, from now until it is empty: after at least `least` and at most `most`
 * milliseconds.
 */
function drainOf({ status, progress }: Monitor, timeline: Timeline) {
  const { at_least, at_most } = progress ?? {};
  if (status !== 'running' || at_least === undefined || at_most === undefined) return undefined;
  // The expected drain begins now, so a part of the run that ends earlier does not show it.
  if (timeline.last_bin_complete) return undefined;
  const last = timeline.bins - 1;
  const level = (timeline.series.queued[last] ?? 0) + (timeline.series.processing[last] ?? 0);
  const draining = timeline.phases.at(-1)?.phase === 'draining';
  if (level === 0 || !draining) return undefined;
  return { at: spanOf(timeline).until, level, least: at_least * 1000, most: Math.max(1, at_most) * 1000 };
}

/**
 * A phase in words. The picture of an execution without a driver ends some time after the driver was lost,
 * so the words say how long ago that was.
 */
function wordsOf({ phase, by, began, goesOn }: PhaseSpan, now: number) {
  if (phase !== 'undriven') return by === undefined ? phase : `${phase} by ${by}`;
  return goesOn ? `no driver for ${duration((now - began) / 1000)}` : 'no driver';
}

interface PhaseStripProps {
  timeline: Timeline;
  /** The time at which the charts below end, in milliseconds since 1970. */
  until: number;
  notes?: Monitor['notes'];
}

/** The phases in words, and marks for notes, above the charts, whose backgrounds have the phases' colours. */
function PhaseStrip({ timeline, until, notes = [] }: PhaseStripProps) {
  const { from: begin, until: end } = spanOf(timeline);
  const span = Math.max(1, until - begin);
  return (
    <div class="phases" role="list" aria-label="Phases">
      {phasesIn(timeline).map((part) => {
        const { phase, from, to } = part;
        const words = wordsOf(part, Math.max(end, thisMoment()));
        // If a band ends under a hatched band, the label goes into the visible part.
        const hole = holesIn(timeline).find((one) => one.from > from && one.from < to)?.from ?? to;
        return (
          <div
            key={`${phase} ${from}`}
            role="listitem"
            class={`band ${phase}`}
            title={words}
            style={{ left: `${((from - begin) / span) * 100}%`, width: `${((to - from) / span) * 100}%` }}
          >
            <span style={{ width: `${((hole - from) / (to - from)) * 100}%` }}>{words}</span>
          </div>
        );
      })}
      {notes.map(({ at, author, text }) => {
        const place = (Date.parse(at) - begin) / span;
        return (
          place >= 0 &&
          place <= 1 && (
            <div
              key={at + text}
              role="listitem"
              class="note-mark"
              title={`${author}: ${text}`}
              aria-label={`note by ${author}: ${text}`}
              style={{ left: `${place * 100}%` }}
            />
          )
        );
      })}
    </div>
  );
}
