import { type Range, spanOf } from '../draw/span.ts';
import type { Timeline } from '../shared/answers.ts';
import { time } from '../shared/format.ts';
import type { Part } from '../state/course.ts';
import { stepsBack } from '../state/hooks.ts';
import { useAround } from '../state/world.ts';
import { moved, scaled } from '../state/zoom.ts';
import { Button } from './card.tsx';

interface Props {
  /** The part that was asked for, of the whole run. */
  part: Part;
  line: Timeline | undefined;
  shown: Timeline | undefined;
  /** Whether the pictures still show the previous part. */
  isAwaited: boolean;
  onZoom: (from: number, until: number) => void;
  onWhole: () => void;
}

/** Which part of the run the pictures show, and the ways to another one. */
export function PartShown({ part, line, shown, isAwaited, onZoom, onWhole }: Props) {
  const { zone } = useAround();
  const go = (next: (range: Range) => Range) => (): void => {
    const { from, until } = next(askedRange(part, line ?? shown));
    onZoom(from, until);
  };
  return (
    <p class="banner part">
      {isAwaited || shown === undefined
        ? 'Loading this part; the pictures show the previous one. '
        : `Showing a part: ${time(shown.from, zone)} to ${time(shown.until, zone)}. `}
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
