import type { ComponentChildren } from 'preact';

/** A part of the page under a heading. */
export function Card({
  title,
  note,
  children,
}: {
  title: string;
  note?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="card">
      <h2>
        {title} <small>{note}</small>
      </h2>
      {children}
    </section>
  );
}

export function Button({
  onClick,
  shade,
  children,
}: {
  onClick: () => void;
  shade?: string;
  children: ComponentChildren;
}) {
  return (
    <button type="button" class={shade} onClick={onClick}>
      {children}
    </button>
  );
}

export const More = ({ n, of = '' }: { n: number; of?: string }) =>
  n > 0 ? (
    <p class="small">
      and {n} more {of}
    </p>
  ) : null;
