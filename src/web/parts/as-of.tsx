import { useEffect, useState } from 'preact/hooks';

import { type Range, spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { clock, time } from '../shared/format.ts';
import type { Part } from '../state/asking.ts';
import { stepsBack } from '../state/hooks.ts';
import { binOf, endOf } from '../state/moment.ts';
import type { PageProps } from '../state/route.ts';
import { moved, scaled } from '../state/zoom.ts';
import { Button } from './card.tsx';

/** The film shows a whole run in this many steps of this many milliseconds each. */
const film = { steps: 60, every: 200 };

interface AsOfProps {
  timeline: Timeline;
  asOf: number | undefined;
  /** Whether the page has yet to show the chosen moment; the film waits until it does. */
  isAwaited: boolean;
  /** Whether parts of the page are dimmed because they show the present. */
  isNow: boolean;
  change: PageProps['change'];
}

/** The slider that shows earlier moments of an execution. */
export function AsOf({ timeline, asOf, isAwaited, isNow, change }: AsOfProps) {
  const { bin: length } = spanOf(timeline);
  const last = timeline.bins - 1;
  // Before this time nothing is known about the run.
  const begin = Date.parse(timeline.recorded_from ?? timeline.from);
  const first = Math.min(last, binOf(timeline, begin));
  const bin = asOf === undefined ? last : binOf(timeline, asOf);
  const set = (value: number) => {
    const at = Math.max(begin, endOf(timeline, value));
    change({ asof: value >= last ? undefined : new Date(at).toISOString() });
  };
  const [isPlaying, setPlaying] = useState(false);
  const step = Math.max(1, Math.round(timeline.bins / film.steps));
  useEffect(() => {
    if (!isPlaying || isAwaited) return undefined;
    const timer = setTimeout(() => {
      set(bin + step);
      // The last step leads to the present and ends the film.
      if (bin + step >= last) setPlaying(false);
    }, film.every);
    return () => clearTimeout(timer);
  }, [isPlaying, isAwaited, bin]);
  const play = () => {
    if (bin >= last) set(first);
    setPlaying(!isPlaying);
  };
  return (
    <p class="asof">
      <label>
        as of{' '}
        <input
          type="range"
          min={first}
          max={last}
          value={bin}
          aria-valuetext={asOf === undefined ? 'now' : time(asOf)}
          onInput={(event) => set(Number(event.currentTarget.value))}
        />
      </label>{' '}
      {isNow && <small>dimmed: current state</small>}
      <span class="mono">{asOf === undefined ? 'now' : clock(asOf, length < 1000)}</span>{' '}
      <Button onClick={play}>{isPlaying ? 'pause' : 'play'}</Button>{' '}
      {asOf !== undefined && <Button onClick={() => change({ asof: undefined })}>return to now</Button>}
    </p>
  );
}

interface Props {
  /** The requested part of the whole run. */
  part: Part;
  line: Timeline | undefined;
  shown: Timeline | undefined;
  /** Whether the pictures still show the previous part. */
  isAwaited: boolean;
  onZoom: (from: number, until: number) => void;
  onWhole: () => void;
}

/** Which part of the run the pictures show, and the buttons to leave that part. */
export function PartShown({ part, line, shown, isAwaited, onZoom, onWhole }: Props) {
  const go = (next: (range: Range) => Range) => () => {
    const { from, until } = next(askedRange(part, line ?? shown));
    onZoom(from, until);
  };
  return (
    <p class="banner part">
      {isAwaited || shown === undefined
        ? 'Loading this part; the charts still show the previous one. '
        : `Showing a part: ${time(shown.from)} to ${time(shown.until)}. `}
      <Button onClick={go((range) => moved(range, -0.5))}>earlier</Button>
      <Button onClick={go((range) => moved(range, 0.5))}>later</Button>
      <Button onClick={go((range) => scaled(range, 0.5))}>zoom in</Button>
      <Button onClick={go((range) => scaled(range, 2))}>zoom out</Button>
      {stepsBack() > 0 && <Button onClick={() => history.back()}>step back</Button>}
      <Button onClick={onWhole}>the whole run</Button>
    </p>
  );
}

/** The time range of a part. A part without a start or end has the run's start or end. */
function askedRange({ start_time = '', end_time = '' }: Part, line: Timeline | undefined): Range {
  const whole = line === undefined ? { from: 0, until: Date.now() } : spanOf(line);
  return {
    from: Math.max(whole.from, Date.parse(start_time) || 0),
    until: Math.min(whole.until, Date.parse(end_time) || Infinity),
  };
}
