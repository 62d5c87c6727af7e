import { useState } from 'preact/hooks';

import { useChoice } from '../state/hooks.ts';
import { CallError } from '../transport/call.ts';

/** The reader's name, entered once, as a tool argument; absent if not given. */
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

/** Sends a text, makes the page ask again, and shows why it was refused. */
export function useWriting() {
  const [told, tell] = useState('');
  const send = async (work: Promise<unknown>): Promise<void> => {
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
