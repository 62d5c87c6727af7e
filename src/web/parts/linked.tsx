import { inZone } from '../shared/format.ts';
import { executionHash } from '../state/route.ts';
import { useAround } from '../state/world.ts';

/** A sentence with its times in the reader's zone, and the ids of these executions as links. */
export function Linked({ text, ids }: { text: string; ids: readonly string[] }) {
  const { zone } = useAround();
  // The longest first: one id may be the beginning of another.
  const known = ids.toSorted((a, b) => b.length - a.length);
  const parts = known.reduce(
    (before, id) => before.flatMap((part) => (known.includes(part) ? [part] : separated(part, id))),
    [inZone(text, zone)],
  );
  return (
    <>
      {parts.map((part, at) =>
        known.includes(part) ? (
          <a key={at} href={executionHash(part)}>
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </>
  );
}

/** The parts of a text, with the id between them; an id that is a part of a longer one does not count. */
const separated = (text: string, id: string): string[] =>
  text
    .split(new RegExp(`(?<![\\w~-])${id.replaceAll(/[^\w-]/g, String.raw`\$&`)}(?![\\w~-])`))
    .flatMap((part, at) => (at === 0 ? [part] : [id, part]));
