import { useLayoutEffect, useRef } from 'preact/hooks';

import { Button } from './card.tsx';

/** The keys that work in every view; a field that has the focus handles its own keys. */
const keys = [
  ['/', 'search'],
  ['j, k', 'next row, previous row'],
  ['Enter', 'open it'],
  ['Esc', 'close the open panel'],
  ['+, -', 'in a chart: zoom in, zoom out; or Ctrl + scroll'],
  ['Shift + arrow', 'in a chart: earlier, later; or Shift + scroll'],
  ['arrows', 'in a chart: read values, or move between attempts'],
  ['?', 'these keys'],
] as const;

/** The rows that `j` and `k` move between. */
const rows = 'main tbody :is(a, button), main [role=tabpanel] li button, main .wall a';

/** Moves the focus to the next or previous row. */
function goBy(step: 1 | -1) {
  const all = [...document.querySelectorAll<HTMLElement>(rows)].filter((row) => row.checkVisibility());
  const now = all.indexOf(document.activeElement as HTMLElement);
  all[now === -1 ? (step === 1 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + step))]?.focus();
}

function search() {
  const field = document.querySelector<HTMLInputElement>('main input[name=search]');
  for (let place = field?.closest('details'); place; place = place.parentElement?.closest('details')) place.open = true;
  field?.focus();
}

const isWriting = (target: EventTarget | null) =>
  target instanceof Element && target.matches('input:not([type=checkbox], [type=range]), select, textarea');

/** The keys of the page, and the list of them that `?` opens. */
export function Keys() {
  const list = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const actions: Readonly<Partial<Record<string, () => void>>> = {
      '/': search,
      j: () => goBy(1),
      k: () => goBy(-1),
      '?': () => list.current?.showModal(),
    };
    const onKey = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey, target } = event;
      const action = ctrlKey || metaKey || altKey || isWriting(target) ? undefined : actions[key];
      if (action === undefined) return;
      // Otherwise "/" would be typed into the field that gets the focus.
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <dialog ref={list} class="keys" aria-label="Keys">
      <h2>Keys</h2>
      <dl class="facts">
        {keys.map(([key, words]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>{' '}
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <Button onClick={() => list.current?.close()}>close</Button>
    </dialog>
  );
}
