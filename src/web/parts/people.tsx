import { useState } from 'preact/hooks';

import { qualities } from '../../domain/logbook-words.ts';
import type { Monitor, Shift } from '../shared/answers.ts';
import { time } from '../shared/format.ts';
import { useChoice } from '../state/hooks.ts';
import { executionHash } from '../state/route.ts';
import { CallError, world } from '../transport/call.ts';
import { Card, sending } from './card.tsx';

/** People's notes on an execution, their judgement of it, and the forms for adding more. */
export function People({ monitor }: { monitor: Monitor }) {
  const { execution_id, quality, notes = [] } = monitor;
  if (world.kind !== 'live' && quality === undefined && notes.length === 0) return null;
  return (
    <Card title="Logbook" note="newest notes first">
      {quality !== undefined && (
        <p>
          <strong>Quality: {quality.value}.</strong> {quality.reason}{' '}
          <small>
            {quality.author}, {time(quality.at)}
          </small>
        </p>
      )}
      <Notes notes={notes} />
      {world.kind === 'live' && <Write id={execution_id} />}
    </Card>
  );
}

function Write({ id }: { id: string }) {
  const { told, send } = useWriting();
  const { by, field } = useOwnName();
  const [text, setText] = useState('');
  const [isForNext, setForNext] = useState(false);
  const write = (tool: string, args: object): void => void send(world.call(tool, { execution_id: id, ...by, ...args }));
  return (
    <details>
      <summary>write a note or set the quality</summary>
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
            title="reason: the text above"
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

type Note = NonNullable<Shift['notes']>[number];

/** People's notes; a note on an execution links to the page as it was at the time of the note. */
export function Notes({ notes }: { notes: readonly Note[] }) {
  if (notes.length === 0) return null;
  const isMixed = notes.some(({ for_next }) => for_next !== true);
  return (
    <ul class="lines">
      {notes.map(({ text, author, at, about, execution_id, for_next }) => (
        <li key={at + text} class="words">
          {text}{' '}
          <small>
            {author}, {time(at)}
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

/** The reader's name as a tool argument; the reader enters it once. Absent if the reader gave none. */
export function useOwnName() {
  const [name, setName] = useChoice<string>('name', '');
  const by = name.trim() === '' ? {} : { requested_by: name.trim() };
  const field = (
    <label>
      your name <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
    </label>
  );
  return { by, field };
}

/** Sends a text and makes the page request its data again. If the text is refused, shows why. */
export function useWriting() {
  const [told, tell] = useState('');
  const send = async (work: Promise<unknown>) => {
    try {
      await work;
      tell('written');
      dispatchEvent(new Event('swf-again'));
    } catch (error) {
      tell(error instanceof CallError ? error.message : String(error));
    }
  };
  return { send, told: told !== '' && <small role="alert">{told}</small> };
}
