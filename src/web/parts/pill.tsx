import type { ComponentChildren } from 'preact';

import { type StateProps, stateOf } from '../shared/states.ts';

/** A state in its shade, with its icon. */
export function Pill({ state, children }: { state: string; children?: string }) {
  const [icon, shade] = markOf(state);
  return (
    <span class={`pill ${shade}`}>
      <Icon name={icon} /> {children ?? state}
    </span>
  );
}

/** An execution as one pill: its health while it is running, otherwise how it ended, and how many slices failed. */
export function StatePill(props: StateProps) {
  const { state, words } = stateOf(props);
  return <Pill state={state}>{words}</Pill>;
}

/** SVG paths in a 16 × 16 square. */
const paths = {
  check: 'M3 8.5 6.5 12 13 4.5',
  play: 'M5 3v10l8-5z',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2M8 5v3.2l2 1.6',
  alert: 'M8 2 14.5 13.5h-13zM8 6.5v3M8 11.6v.1',
  cross: 'M4 4l8 8M12 4l-8 8',
  stop: 'M4 4h8v8H4z',
  slow: 'M4.5 2.5h7M4.5 13.5h7M5.5 3c0 5 5 5 5 10M10.5 3c0 5-5 5-5 10',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2M8 7.5V11M8 5v.1',
  dot: 'M8 7.5v1',
} as const;

type IconName = keyof typeof paths;

/** An icon next to a word with the same meaning: for colour-blind readers, and for paper. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
);

/** The icon and the shade of each state and severity. */
const marks: Readonly<Record<string, readonly [IconName, string]>> = Object.fromEntries(
  (
    [
      ['completed processed finished balanced better', 'check', 'good'],
      ['running processing progressing', 'play', 'busy'],
      ['queued registered open', 'clock', 'plain'],
      ['failed broken stalled error', 'alert', 'bad'],
      ['warning worse', 'alert', 'warn'],
      ['lost', 'cross', 'bad'],
      ['info draining', 'info', 'plain'],
      ['terminated unknown', 'stop', 'idle'],
      ['slow', 'slow', 'warn'],
      ['paused standby', 'pause', 'idle'],
    ] as const
  ).flatMap(([states, ...mark]) => states.split(' ').map((state) => [state, mark])),
);

export const markOf = (state: string): readonly [icon: IconName, shade: string] => marks[state] ?? ['dot', 'plain'];

/** A legend entry: a colour with its icon and its label. */
export const Key = ({ state, children }: { state: string; children: ComponentChildren }) => (
  <span class="key">
    <span class={`swatch ${state}`} aria-hidden="true">
      <Icon name={markOf(state)[0]} />
    </span>{' '}
    {children}
  </span>
);

/** A legend entry: a dashed line with its label. */
export const Dash = ({ shade, children }: { shade: string; children: ComponentChildren }) => (
  <span class="key">
    <span class={`dash ${shade}`} aria-hidden="true" /> {children}
  </span>
);
