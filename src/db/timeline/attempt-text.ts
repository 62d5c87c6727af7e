import type { SliceStatus } from '../../domain/slice-states.ts';
import { millisecondsAt, timeLength } from '../../lib/time.ts';
import type { AttemptColumns } from './attempt-columns.ts';

/** Ends each value, and occurs in none of ours. */
const valueEnd = '\u001F';
const valueEndCode = valueEnd.charCodeAt(0);

/** Placeholder for the file that numbers slices: NULL if that is the STF file. */
const numberedIn = 'numbered in';

/** As SQL: the values of an attempt that this program makes, in the order in which `takeAttempts` reads them, with semicolons between. */
const ownValues = {
  current:
    `stf_filename; ${numberedIn}; slice_id; attempt; status; '1'; starts; created_at; ` +
    'queued_again_at; assigned_at; left_from; completed_at',
  earlier:
    `s.stf_filename; ${numberedIn}; s.slice_id; a.attempt; a.state; '0'; a.starts; s.created_at; ` +
    'nullif(a.queued_at, s.created_at); a.started_at; NULL; a.completed_at',
};

/** As SQL: values that others may have made. */
const foreignValues = {
  current: ['assigned_worker', 'left_by', 'hostname', `iif(status = 'failed', substr(error, 1, 1000), NULL)`],
  earlier: ['a.worker_id', 'NULL', 'a.hostname', 'substr(a.error, 1, 1000)'],
};

/**
 * As SQL: attempts as one text, current ones of `tf_slices` or earlier ones of `earlier_attempts AS a` and `tf_slices AS s`. better-sqlite3 takes
 * four times as long to make a row of values as SQLite takes to read it. Separators in texts of others are replaced, so that none looks like two.
 */
export function attemptsAsText(kind: keyof typeof ownValues, isObserved: boolean): string {
  const isElsewhere = isObserved ? (kind === 'current' ? 'tf_filename' : 's.tf_filename') : 'NULL';
  const own = ownValues[kind].replace(numberedIn, isElsewhere).split('; ');
  const values = [...own, ...foreignValues[kind].map((value) => `replace(${value}, '${valueEnd}', ' ')`)];
  return `group_concat(concat(${values.map((value) => `${value}, '${valueEnd}'`).join(', ')}), '')`;
}

/** Parses the attempts of such a text into columns. */
export function takeAttempts(text: string, columns: AttemptColumns): void {
  let at = 0;
  const word = (): string => {
    const end = text.indexOf(valueEnd, at);
    const found = text.slice(at, end);
    at = end + 1;
    return found;
  };
  const isAbsent = (): boolean => text.charCodeAt(at) === valueEndCode;
  const optional = (): string | undefined => {
    if (!isAbsent()) return word();
    at += 1;
    return undefined;
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
    if (isAbsent()) {
      at += 1;
      return NaN;
    }
    const found = millisecondsAt(text, at);
    at += timeLength + 1;
    return found;
  };
  const either = (first: number, second: number): number => (Number.isNaN(first) ? second : first);
  while (at < text.length) {
    const place = columns.placeOf({ stf: word(), file: optional() }, whole(), whole());
    columns.setState(place, word() as SliceStatus, whole() === 1);
    // A result may come for a slice whose start was never reported.
    const wasStarted = whole() > 0;
    const created = time();
    const queued = either(time(), created);
    const started = either(time(), time());
    columns.setTimes(place, { created, queued, started: wasStarted ? started : NaN, completed: time() });
    const worker = optional();
    const left = optional();
    columns.setNames(place, worker ?? left, optional(), optional());
  }
}
