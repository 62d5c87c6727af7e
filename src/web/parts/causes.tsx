import { useRef } from 'preact/hooks';

import type { Timeline } from '../shared/answers.ts';
import { count } from '../shared/format.ts';
import { Button, Card, More } from './card.tsx';
import { numbers, Table } from './table.tsx';

type Cause = Timeline['causes'][number];

interface Props {
  /** Undefined until the picture has arrived. This component's code loads in the meantime. */
  timeline: Timeline | undefined;
  /** Whether more failures may follow. */
  isLive: boolean;
  /** Whether the rest of the page shows an earlier moment. */
  isThen: boolean;
  onOpen: (name: string) => void;
}

/**
 * Failures by cause, with their times. The most frequent cause comes first, except in a live run, where causes
 * keep their places.
 */
export function Causes({ timeline, isLive, isThen, onOpen }: Props) {
  const places = useRef(new Map<string, number>());
  if (timeline === undefined) return null;
  const { causes: ordered, causes_omitted = 0 } = timeline;
  for (const { cause } of ordered) if (!places.current.has(cause)) places.current.set(cause, places.current.size);
  const placeIn = ({ cause }: Cause) => places.current.get(cause) ?? 0;
  const causes = isLive ? ordered.toSorted((a, b) => placeIn(a) - placeIn(b)) : ordered;
  const total = causes.reduce((sum, { attempts }) => sum + attempts, 0);
  return (
    <Card
      title="Failures by cause"
      note={`${count(total)} failed attempts in this period${isThen ? '; slices shown as they are now' : ''}`}
    >
      {causes.length === 0 ? (
        <p>No attempt failed.</p>
      ) : (
        <>
          <Table
            label="Failures by cause"
            rows={causes}
            keyOf={({ cause }) => cause}
            isStacked
            columns={[
              {
                head: 'cause',
                cell: ({ cause, example }) => (
                  <>
                    <span class="words mono">{cause}</span>{' '}
                    <Button shade="id" onClick={() => onOpen(example)}>
                      example
                    </Button>
                  </>
                ),
              },
              numbers<Cause>('attempts', ({ attempts }) => count(attempts)),
              numbers<Cause>('failed for good', ({ exhausted }) => count(exhausted)),
              { head: 'where', cell: placeOf },
              { head: 'when', cell: ({ when, first, last }) => <Strip when={when} label={`${first} to ${last}`} /> },
            ]}
          />
          <More n={causes_omitted} of="causes; see failed slices" />
        </>
      )}
    </Card>
  );
}

/**
 * The slot on which the attempts failed; if there were several slots, their number and the slot with the most
 * attempts.
 */
const placeOf = ({ attempts, slots, worst_slot: slot = 'not known', worst_slot_attempts: most = 0, host }: Cause) => (
  <span title={slot}>
    {slots > 1 ? (
      `${count(slots)} slots; most: ${slot.slice(slot.lastIndexOf('-') + 1)} (${count(most)})`
    ) : (
      <span class="mono words">{slot}</span>
    )}
    {slots === 1 && most < attempts && <small> and {count(attempts - most)} on an unknown slot</small>}
    {host !== undefined && <small> all on {host}</small>}
  </span>
);

/** One bar for each twentieth of the time; its height shows the number of failures. */
const Strip = ({ when, label }: { when: string; label: string }) => (
  <svg class="strip" viewBox={`0 0 ${when.length * 5} 16`} role="img" aria-label={`failures from ${label}`}>
    {when.split('').map((character, at) => {
      const n = character === '.' ? 0 : character === '#' ? 10 : Number(character);
      const height = n === 0 ? 1 : 4 + 1.2 * n;
      return <rect key={at} class={n === 0 ? 'none' : 'failed'} x={at * 5} y={16 - height} width={4} height={height} />;
    })}
  </svg>
);
