import { useState } from 'preact/hooks';

import { qualities } from '../../domain/logbook-words.ts';
import type { Monitor } from '../shared/answers.ts';
import { time } from '../shared/format.ts';
import { useAround } from '../state/world.ts';
import { Card, sending } from './card.tsx';
import { Notes } from './notes.tsx';
import { useOwnName, useWriting } from './writing.tsx';

/** People's notes and judgement of an execution, and the forms to write more. */
export function People({ monitor }: { monitor: Monitor }) {
  const { world, zone } = useAround();
  const { execution_id, quality, notes = [] } = monitor;
  if (world.kind !== 'live' && quality === undefined && notes.length === 0) return null;
  return (
    <Card title="Logbook" note="the last notes first">
      {quality !== undefined && (
        <p>
          <strong>Quality: {quality.value}.</strong> {quality.reason}{' '}
          <small>
            {quality.author}, {time(quality.at, zone)}
          </small>
        </p>
      )}
      <Notes notes={notes} />
      {world.kind === 'live' && <Write id={execution_id} />}
    </Card>
  );
}

function Write({ id }: { id: string }) {
  const { world } = useAround();
  const { told, send } = useWriting();
  const { by, field } = useOwnName();
  const [text, setText] = useState('');
  const [isForNext, setForNext] = useState(false);
  const write = (tool: string, args: object): void => void send(world.call(tool, { execution_id: id, ...by, ...args }));
  return (
    <details>
      <summary>write a note, or judge the run</summary>
      <form
        class="filters"
        onSubmit={sending(() => write('add_note', { text, ...(isForNext ? { for_next: true } : {}) }))}
      >
        {field}
        <label>
          note or reason{' '}
          <input class="long" value={text} required onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <label>
          <input type="checkbox" checked={isForNext} onChange={(event) => setForNext(event.currentTarget.checked)} />{' '}
          for the next shift
        </label>
        <button type="submit">write the note</button>
        {qualities.map((value) => (
          <button
            key={value}
            type="button"
            disabled={text.trim() === ''}
            title="what you wrote is the reason"
            onClick={() => write('set_quality', { value, reason: text })}
          >
            {value === 'none' ? 'no quality' : `quality ${value}`}
          </button>
        ))}
      </form>
      {told}
    </details>
  );
}
