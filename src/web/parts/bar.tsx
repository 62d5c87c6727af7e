import { count } from '../shared/format.ts';

type State = 'completed' | 'failed' | 'processing' | 'queued' | 'lost' | 'undone';

/** Parts of a whole side by side. Every part with at least one item is visible. */
export function Bar({ parts, total }: { parts: Readonly<Partial<Record<State, number>>>; total: number }) {
  const label = Object.entries(parts)
    .map(([state, n]) => `${count(n)} ${state}`)
    .join(', ');
  return (
    <div class="bar" role="img" aria-label={total === 0 ? 'no slices yet' : label} title={label}>
      {Object.entries(parts).map(([state, n]) =>
        n > 0 ? <div key={state} class={state} style={{ width: `${(n / Math.max(1, total)) * 100}%` }} /> : null,
      )}
    </div>
  );
}
