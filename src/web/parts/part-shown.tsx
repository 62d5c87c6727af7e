import type { Timeline } from '../shared/answers.ts';
import { time } from '../shared/format.ts';
import { stepsBack } from '../state/hooks.ts';
import { useAround } from '../state/world.ts';
import { moved, type Range, scaled } from '../state/zoom.ts';
import { Button } from './card.tsx';

interface Props {
  /** The part that was asked for. */
  asked: Range;
  shown: Timeline | undefined;
  /** Whether the pictures still show the previous part. */
  isAwaited: boolean;
  onZoom: (from: number, until: number) => void;
  onWhole: () => void;
}

/** Which part of the run the pictures show, and the ways to another one. */
export function PartShown({ asked, shown, isAwaited, onZoom, onWhole }: Props) {
  const { zone } = useAround();
  const go = (next: (range: Range) => Range) => (): void => {
    const { from, until } = next(asked);
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
