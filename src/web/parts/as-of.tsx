import { useEffect, useState } from 'preact/hooks';

import { spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { clock, time } from '../shared/format.ts';
import { binOf, endOf } from '../state/as-of.ts';
import type { PageProps } from '../state/route.ts';
import { useAround } from '../state/world.ts';
import { Button } from './card.tsx';

/** A whole run plays in this many steps of this many milliseconds. It plays on when the slider is mounted anew, since "latest" becomes one execution. */
const film = { steps: 60, every: 200, isPlaying: false };

/** The slider that goes back in the life of an execution. */
export function AsOf({
  timeline,
  asOf,
  change,
}: {
  timeline: Timeline;
  asOf: number | undefined;
  change: PageProps['change'];
}) {
  const { zone } = useAround();
  const { bin: length } = spanOf(timeline);
  const last = timeline.bins - 1;
  const bin = asOf === undefined ? last : binOf(timeline, asOf);
  const set = (value: number): void =>
    change({ asof: value >= last ? undefined : new Date(endOf(timeline, value)).toISOString() });
  const [isPlaying, setState] = useState(film.isPlaying);
  const setPlaying = (plays: boolean): void => {
    film.isPlaying = plays;
    setState(plays);
  };
  const step = Math.max(1, Math.round(timeline.bins / film.steps));
  useEffect(() => {
    if (!isPlaying) return undefined;
    const timer = setTimeout(() => {
      set(bin + step);
      // The last step leads to now, which ends the film.
      if (bin + step >= last) setPlaying(false);
    }, film.every);
    return () => clearTimeout(timer);
  }, [isPlaying, bin]);
  const play = (): void => {
    if (bin >= last) set(0);
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
          aria-valuetext={asOf === undefined ? 'now' : time(asOf, zone)}
          onInput={(event) => set(Number(event.currentTarget.value))}
        />
      </label>{' '}
      <span class="mono">{asOf === undefined ? 'now' : clock(asOf, zone, length < 1000)}</span>{' '}
      <Button onClick={play}>{isPlaying ? 'pause' : 'play'}</Button>{' '}
      {asOf !== undefined && <Button onClick={() => change({ asof: undefined })}>back to now</Button>}
    </p>
  );
}
