import { useState } from 'preact/hooks';

import type { Monitor } from '../shared/answers.ts';
import { time } from '../shared/format.ts';
import { useChoice } from '../state/hooks.ts';
import { useAround } from '../state/world.ts';
import { CallError } from '../transport/call.ts';
import { Card } from './card.tsx';

/** What people wrote about an execution, and where one writes more. */
export function People({ monitor }: { monitor: Monitor }) {
  const { world, zone } = useAround();
  const { execution_id, quality, notes = [] } = monitor;
  if (world.kind !== 'live' && quality === undefined && notes.length === 0) return null;
  return (
    <Card
      title="Logbook"
      note={notes.length === 5 ? 'the last notes first; the report has all' : 'the last notes first'}
    >
      {quality !== undefined && (
        <p>
          <strong>Quality: {quality.value}.</strong> {quality.reason}{' '}
          <small>
            {quality.author}, {time(quality.at, zone)}
          </small>
        </p>
      )}
      {notes.length > 0 && (
        <ul class="lines">
          {notes.map(({ text, author, at, about, for_next }) => (
            <li key={at + text} class="words">
              {text}{' '}
              <small>
                {author}, {time(at, zone)}
                {about !== undefined && `, about ${about}`}
                {for_next === true && ', for the next shift'}
              </small>
            </li>
          ))}
        </ul>
      )}
      {world.kind === 'live' && <Write id={execution_id} />}
    </Card>
  );
}

/** Sends what somebody has written, and tells why it was not taken. */
function useWriting(): { told: string; send: (tool: string, args: object) => Promise<void> } {
  const { world } = useAround();
  const [told, tell] = useState('');
  const send = async (tool: string, args: object): Promise<void> => {
    try {
      await world.call(tool, args);
      tell('written');
      dispatchEvent(new Event('swf-again'));
    } catch (error) {
      tell(error instanceof CallError ? error.message : String(error));
    }
  };
  return { told, send };
}

const values = ['good', 'bad', 'test', 'none'] as const;

function Write({ id }: { id: string }) {
  const { told, send } = useWriting();
  const [name, setName] = useChoice<string>('name', '');
  const [text, setText] = useState('');
  const [isForNext, setForNext] = useState(false);
  const by = name.trim() === '' ? {} : { requested_by: name.trim() };
  const note = (): Promise<void> =>
    send('add_note', { execution_id: id, text, ...by, ...(isForNext ? { for_next: true } : {}) });
  return (
    <details>
      <summary>write a note, or judge the run</summary>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          void note();
        }}
      >
        <label>
          your name <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label>
          note or reason{' '}
          <input class="long" value={text} required onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <label>
          <input type="checkbox" checked={isForNext} onChange={(event) => setForNext(event.currentTarget.checked)} />{' '}
          for the next shift
        </label>
        <button type="submit">write the note</button>
        {values.map((value) => (
          <button
            key={value}
            type="button"
            disabled={text.trim() === ''}
            title="what you wrote is the reason"
            onClick={() => void send('set_quality', { execution_id: id, value, reason: text, ...by })}
          >
            {value === 'none' ? 'no quality' : `quality ${value}`}
          </button>
        ))}
      </form>
      {told !== '' && <p role="alert">{told}</p>}
    </details>
  );
}
