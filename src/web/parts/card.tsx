import type { ComponentChildren, RenderableProps } from 'preact';

/** A part of the page under a heading. */
export const Card = ({ title, note, children }: RenderableProps<{ title: string; note?: ComponentChildren }>) => (
  <section class="card">
    <h2>
      {title} <small>{note}</small>
    </h2>
    {children}
  </section>
);

export type Fact = readonly [term: string, value: string | number | undefined];

/** Terms with their values, without unknown values. */
export const FactList = ({ facts, shade = '' }: { facts: readonly Fact[]; shade?: string }) => (
  <dl class={`facts ${shade}`}>
    {facts.map(
      ([term, value]) =>
        value !== undefined && (
          <div key={term}>
            <dt>{term}</dt> <dd>{value}</dd>
          </div>
        ),
    )}
  </dl>
);

export const Button = ({ onClick, shade, children }: RenderableProps<{ onClick: () => void; shade?: string }>) => (
  <button type="button" class={shade} onClick={onClick}>
    {children}
  </button>
);

/** Handles a form that the page itself sends. */
export const sending =
  (send: () => unknown) =>
  (event: Event): void => {
    event.preventDefault();
    send();
  };

export const More = ({ n, of = '' }: { n: number; of?: ComponentChildren }) =>
  n > 0 ? (
    <p class="small">
      and {n} more {of}
    </p>
  ) : null;
