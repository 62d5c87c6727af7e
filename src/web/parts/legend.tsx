import type { ComponentChildren } from 'preact';

import { Icon, markOf } from './icon.tsx';

/** A legend entry: a colour with its icon and its word. */
export const Key = ({ state, children }: { state: string; children: ComponentChildren }) => (
  <span class="key">
    <span class={`swatch ${state}`} aria-hidden="true">
      <Icon name={markOf(state)[0]} />
    </span>{' '}
    {children}
  </span>
);

/** A legend entry: a dashed line with its word. */
export const Dash = ({ shade, children }: { shade: string; children: ComponentChildren }) => (
  <span class="key">
    <span class={`dash ${shade}`} aria-hidden="true" /> {children}
  </span>
);
