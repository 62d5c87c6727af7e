import type { ComponentChildren } from 'preact';

/** Glyphs that say the same as colours. */
const glyphs: Readonly<Record<string, string>> = {
  completed: '#',
  processing: '=',
  queued: '-',
  lost: 'x',
  failed: '!',
};

/** A colour with its glyph and its word. */
export function Key({ state, children }: { state: string; children: ComponentChildren }) {
  return (
    <span class="key">
      <span class={`swatch ${state}`} aria-hidden="true">
        {glyphs[state]}
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
