import { useState } from 'preact/hooks';

import { useChoice } from '../state/hooks.ts';
import { CallError } from '../transport/call.ts';

/** The name that somebody gives once, as an argument; absent where none is given. */
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

/** Sends what somebody has written, has the page ask again, and tells why it was not taken. */
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
