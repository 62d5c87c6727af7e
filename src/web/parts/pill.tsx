import { Icon, markOf } from './icon.tsx';

/** A state in its shade, with its icon. */
export function Pill({ state, children }: { state: string; children?: string }) {
  const [icon, shade] = markOf(state);
  return (
    <span class={`pill ${shade}`}>
      <Icon name={icon} /> {children ?? state}
    </span>
  );
}
