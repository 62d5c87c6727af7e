/** States with their shade, and the glyph that says the same. */
const marks: Readonly<Record<string, string>> = {
  completed: '# good',
  processed: '# good',
  finished: '# good',
  balanced: '# good',
  running: '= busy',
  processing: '= busy',
  progressing: '= busy',
  queued: '- plain',
  registered: '- plain',
  open: '- plain',
  failed: '! bad',
  broken: '! bad',
  stalled: '! bad',
  terminated: '× idle',
  slow: '~ warn',
  paused: 'II idle',
  standby: 'II idle',
  draining: 'i plain',
};

export function Pill({ state, children }: { state: string; children?: string }) {
  const [glyph, shade] = (marks[state] ?? '· plain').split(' ');
  return (
    <span class={`pill ${shade}`}>
      <span aria-hidden="true">{glyph}</span> {children ?? state}
    </span>
  );
}
