import type { Shift } from '../shared/answers.ts';
import { time } from '../shared/format.ts';
import { executionHash } from '../state/route.ts';
import { useAround } from '../state/world.ts';

type Note = NonNullable<Shift['notes']>[number];

/** People's notes; a note on an execution links to the page as it was then. */
export function Notes({ notes }: { notes: readonly Note[] }) {
  const { zone } = useAround();
  if (notes.length === 0) return null;
  const isMixed = notes.some(({ for_next }) => for_next !== true);
  return (
    <ul class="lines">
      {notes.map(({ text, author, at, about, execution_id, for_next }) => (
        <li key={at + text} class="words">
          {text}{' '}
          <small>
            {author}, {time(at, zone)}
            {about !== undefined && `, about ${about}`}
            {for_next === true && isMixed && ', for the next shift'}
            {execution_id !== undefined && (
              <>
                , <a href={executionHash(execution_id, { asof: at })}>{execution_id}</a>
              </>
            )}
          </small>
        </li>
      ))}
    </ul>
  );
}
