import { inZone } from '../shared/format.ts';
import { executionHash } from '../state/route.ts';

/**
 * A sentence with its times in the reader's zone, and the ids of the given executions as links; an id inside a
 * longer id is not a link.
 */
export function Linked({ text, ids }: { text: string; ids: readonly string[] }) {
  const any = ids.map((id) => id.replaceAll(/[^\w-]/g, String.raw`\$&`)).join('|');
  // Every second part is an id.
  const parts = inZone(text).split(ids.length === 0 ? /(?!)/ : new RegExp(`(?<![\\w~-])(${any})(?![\\w~-])`));
  return (
    <>
      {parts.map((part, at) =>
        at % 2 === 0 ? (
          part
        ) : (
          <a key={at} href={executionHash(part)}>
            {part}
          </a>
        ),
      )}
    </>
  );
}
