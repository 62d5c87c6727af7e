import type { Action } from '../../domain/states.ts';
import { messageOf, SwfError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { Live } from '../live/live.ts';
import { type Io, userName } from '../shared/io.ts';

/** How long to wait for the effect of a command, in seconds. */
const patienceSeconds = 30;

/**
 * Handles the keys of a live view. Returns a function that stops handling keys; does nothing without a keyboard.
 * @param leave called when q is pressed, to close only the view; if undefined, q stops the execution, after
 * asking
 */
export function startKeys(io: Io, live: Live, execution_id: string, leave?: () => void) {
  const hint = `p pause  c continue  q ${leave === undefined ? 'stop' : 'leave'}  ? help`;
  let isAsked = false;
  const say = (line: string) => live.footer(line);
  const command = (action: Action) => {
    say(`${action} …`);
    giveCommand(io, action, execution_id).then(
      (sentence) => say(`${action}: ${printable(sentence)}`),
      (error: unknown) => say(printable(error instanceof SwfError ? error.line : messageOf(error))),
    );
  };
  const onKey = (key: string) => {
    if (isAsked) {
      isAsked = false;
      if (key === 'y') command('stop');
      else say(hint);
      return;
    }
    if (key === 'p') command('pause');
    else if (key === 'c') command('continue');
    else if (key === 'q' && leave !== undefined) leave();
    else if (key === 'q') {
      isAsked = true;
      say('stop the execution? y/N');
    } else if (key === '?') say(help + (leave === undefined ? 'stop the run' : 'leave the view'));
    else say(hint);
  };
  const end = io.onKey(onKey);
  if (end === undefined) return () => {};
  say(hint);
  return end;
}

const help = 'p: pause (slices in progress finish)  c: continue  q, Ctrl-C: ';

/** Issues a command through the store, like any other command, so that its author is recorded. */
async function giveCommand(io: Io, action: Action, execution_id: string) {
  const { createControl } = await import('../control/tool-control.ts');
  const by = { name: userName(io), claimed: undefined };
  return (await createControl(io).command(action, { execution_id, reason: undefined, by, patienceSeconds })).sentence;
}
