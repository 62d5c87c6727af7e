import type { SliceStatus } from '../../domain/slice-states.ts';
import { millisecondsAt, timeLength } from '../../lib/iso-time.ts';
import type { AttemptColumns } from './attempt-columns.ts';

/** Stand behind each value. No text of others has one of them. */
const valueEnd = '\u001F';
const valueEndCode = valueEnd.charCodeAt(0);
const ofOthers = (text: string): string => `replace(${text}, '${valueEnd}', ' ')`;

/** As SQL: the values of an attempt, in the order in which `takeAttempts` reads them. */
const values = {
  current: [
    'stf_filename',
    'slice_id',
    'attempt',
    'status',
    '1',
    'created_at',
    'coalesce(queued_again_at, created_at)',
    `iif(starts > 0, coalesce(assigned_at, left_from), NULL)`,
    'completed_at',
    ofOthers('coalesce(assigned_worker, left_by)'),
    ofOthers('hostname'),
    `iif(status = 'failed', ${ofOthers('substr(error, 1, 1000)')}, NULL)`,
  ],
  earlier: [
    's.stf_filename',
    's.slice_id',
    'a.attempt',
    'a.state',
    '0',
    's.created_at',
    'a.queued_at',
    'a.started_at',
    'a.completed_at',
    ofOthers('a.worker_id'),
    ofOthers('a.hostname'),
    ofOthers('substr(a.error, 1, 1000)'),
  ],
};

/**
 * As SQL: attempts, current ones of `tf_slices` or earlier ones of `earlier_attempts AS a` and `tf_slices AS s`, all as one text. To make a row of
 * values takes better-sqlite3 four times as long as SQLite takes to read it.
 */
export const attemptsAsText = (kind: keyof typeof values): string =>
  `group_concat(concat_ws('${valueEnd}', ${values[kind].map((value) => `ifnull(${value}, '')`).join(', ')}, ''), '')`;

/** Takes the attempts of such a text into columns. */
export function takeAttempts(text: string, columns: AttemptColumns): void {
  let at = 0;
  const word = (): string => {
    const end = text.indexOf(valueEnd, at);
    const found = text.slice(at, end);
    at = end + 1;
    return found;
  };
  const whole = (): number => {
    let found = 0;
    for (let code = text.charCodeAt(at); code !== valueEndCode; code = text.charCodeAt(at)) {
      found = found * 10 + code - 48;
      at += 1;
    }
    at += 1;
    return found;
  };
  const time = (): number => {
    const isAbsent = text.charCodeAt(at) === valueEndCode;
    const found = isAbsent ? NaN : millisecondsAt(text, at);
    at += isAbsent ? 1 : timeLength + 1;
    return found;
  };
  const orUndefined = (name: string): string | undefined => (name === '' ? undefined : name);
  while (at < text.length) {
    columns.set({
      stf: word(),
      sliceId: whole(),
      attempt: whole(),
      state: word() as SliceStatus,
      isCurrent: whole() === 1,
      created: time(),
      queued: time(),
      started: time(),
      completed: time(),
      worker: orUndefined(word()),
      host: orUndefined(word()),
      error: orUndefined(word()),
    });
  }
}
