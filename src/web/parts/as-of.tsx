import { useEffect, useState } from 'preact/hooks';

import { spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { clock, time } from '../shared/format.ts';
import { binOf, endOf } from '../state/as-of.ts';
import type { PageProps } from '../state/route.ts';
import { useAround } from '../state/world.ts';
import { Button } from './card.tsx';

/** A whole run plays in this many steps of this many milliseconds. */
const film = { steps: 60, every: 200 };

/** The execution whose film plays, and since when its slider was last moved: it plays on when "latest" becomes one execution, and the slider is mounted anew. */
const playing = { id: '', at: 0 };

interface AsOfProps {
  timeline: Timeline;
  asOf: number | undefined;
  change: PageProps['change'];
}

/** The slider that goes back in the life of an execution. */
export function AsOf({ timeline, asOf, change }: AsOfProps) {
  const { zone } = useAround();
  const { bin: length } = spanOf(timeline);
  const last = timeline.bins - 1;
  const bin = asOf === undefined ? last : binOf(timeline, asOf);
  const set = (value: number): void =>
    change({ asof: value >= last ? undefined : new Date(endOf(timeline, value)).toISOString() });
  const id = timeline.execution_id;
  const [isPlaying, setState] = useState(playing.id === id && Date.now() - playing.at < 10 * film.every);
  const setPlaying = (plays: boolean): void => {
    Object.assign(playing, { id: plays ? id : '', at: Date.now() });
    setState(plays);
  };
  const step = Math.max(1, Math.round(timeline.bins / film.steps));
  useEffect(() => {
    if (!isPlaying) return undefined;
    const timer = setTimeout(() => {
      playing.at = Date.now();
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
