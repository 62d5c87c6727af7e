import type { ComponentChildren } from 'preact';

import { Icon, markOf } from './icon.tsx';

/** A colour with its icon and its word. */
export function Key({ state, children }: { state: string; children: ComponentChildren }) {
  return (
    <span class="key">
      <span class={`swatch ${state}`} aria-hidden="true">
        <Icon name={markOf(state)[0]} />
      </span>{' '}
      {children}
    </span>
  );
}

/** A broken line with its word. */
export function Dash({ shade, children }: { shade: string; children: ComponentChildren }) {
  return (
    <span class="key">
      <span class={`dash ${shade}`} aria-hidden="true" /> {children}
    </span>
  );
}
