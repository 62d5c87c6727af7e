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

/** A whole run plays in this many steps of this many milliseconds. */
const film = { steps: 60, every: 200 };

/**
 * The execution whose film plays, and since when its slider was last moved: it plays on when "latest" becomes
 * one execution, and the slider is mounted again.
 */
const playing = { id: '', at: 0 };

interface AsOfProps {
  timeline: Timeline;
  asOf: number | undefined;
  /** Whether the page still shows another moment: the film waits for this one. */
  isAwaited: boolean;
  /** Whether dimmed parts of the page show the present. */
  isNow: boolean;
  change: PageProps['change'];
}

/** The slider that goes back in the history of an execution. */
export function AsOf({ timeline, asOf, isAwaited, isNow, change }: AsOfProps) {
  const { bin: length } = spanOf(timeline);
  const last = timeline.bins - 1;
  const bin = asOf === undefined ? last : binOf(timeline, asOf);
  const set = (value: number) =>
    change({ asof: value >= last ? undefined : new Date(endOf(timeline, value)).toISOString() });
  const id = timeline.execution_id;
  const [isPlaying, setState] = useState(playing.id === id && Date.now() - playing.at < 10 * film.every);
  const setPlaying = (plays: boolean): void => {
    Object.assign(playing, { id: plays ? id : '', at: Date.now() });
    setState(plays);
  };
  const step = Math.max(1, Math.round(timeline.bins / film.steps));
  useEffect(() => {
    if (!isPlaying || isAwaited) return undefined;
    const timer = setTimeout(() => {
      playing.at = Date.now();
      set(bin + step);
      // The last step leads to now, which ends the film.
      if (bin + step >= last) setPlaying(false);
    }, film.every);
    return () => clearTimeout(timer);
  }, [isPlaying, isAwaited, bin]);
  const play = (): void => {
    // At its very first moment nothing about the run may have been recorded.
    if (bin >= last) set(step);
    setPlaying(!isPlaying);
  };
  return (
    <p class="asof">
      <label>
        as of{' '}
        <input
          type="range"
          min={0}
          max={last}
          value={bin}
          aria-valuetext={asOf === undefined ? 'now' : time(asOf)}
          onInput={(event) => set(Number(event.currentTarget.value))}
        />
      </label>{' '}
      {isNow && <small>dimmed: as it is now, not then</small>}
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

/** Which part of the run the pictures show, and the buttons to leave it. */
export function PartShown({ part, line, shown, isAwaited, onZoom, onWhole }: Props) {
  const go = (next: (range: Range) => Range) => (): void => {
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
      <Button onClick={go((range) => scaled(range, 0.5))}>closer</Button>
      <Button onClick={go((range) => scaled(range, 2))}>wider</Button>
      {stepsBack() > 0 && <Button onClick={() => history.back()}>step back</Button>}
      <Button onClick={onWhole}>the whole run</Button>
    </p>
  );
}

/** The range of a part; an end that it leaves open is the run's. */
function askedRange({ start_time = '', end_time = '' }: Part, line: Timeline | undefined): Range {
  const whole = line === undefined ? { from: 0, until: Date.now() } : spanOf(line);
  return {
    from: Math.max(whole.from, Date.parse(start_time) || 0),
    until: Math.min(whole.until, Date.parse(end_time) || Infinity),
  };
}
