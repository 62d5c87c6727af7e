/** States with the glyph that says the same as their colour. */
const glyphs: Readonly<Record<string, string>> = {
  completed: '#',
  processed: '#',
  finished: '#',
  balanced: '#',
  running: '=',
  processing: '=',
  progressing: '=',
  physics: '=',
  queued: '-',
  registered: '-',
  open: '-',
  failed: '!',
  broken: '!',
  stalled: '!',
  terminated: '×',
  slow: '~',
  paused: 'II',
  standby: 'II',
  draining: 'i',
};

const shades: Readonly<Record<string, string>> = {
  completed: 'good',
  processed: 'good',
  finished: 'good',
  balanced: 'good',
  running: 'busy',
  processing: 'busy',
  progressing: 'busy',
  failed: 'bad',
  broken: 'bad',
  stalled: 'bad',
  terminated: 'idle',
  slow: 'warn',
  paused: 'idle',
  standby: 'idle',
};

export function Pill({ state, children }: { state: string; children?: string }) {
  return (
    <span class={`pill ${shades[state] ?? 'plain'}`}>
      <span aria-hidden="true">{glyphs[state] ?? '·'}</span> {children ?? state}
    </span>
  );
}
