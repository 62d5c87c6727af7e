import { createCauses } from '../../domain/causes.ts';
import { failedState, type SliceStatus, sliceStatuses } from '../../domain/slice-states.ts';
import { millisecondsAt, timeLength } from '../../lib/time.ts';

/**
 * When things happened to an attempt, in milliseconds since 1970; NaN if they did not. `created`: when the
 * slice was made. `processing`: the seconds of its
 * payload, as its worker measured them.
 */
type AttemptTimes = Record<'created' | 'queued' | 'started' | 'completed' | 'processing', number>;

/** The value of a name column without a name. */
const noName = -1;

/** How many errors to remember with their causes. */
const maxErrors = 5000;

/** A copy of a text: a part of a larger text would keep the whole in memory. */
const ownText = (text: string) => Buffer.from(text, 'utf8').toString('utf8');

/** Numbers names from 0, in order of appearance: columns hold numbers, and very many rows share a name. */
class Names {
  readonly all: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Neighboring rows usually have the same name, and comparing is faster than looking up. */
  #lastName: string | undefined;
  #lastNumber = -1;

  numberOf(name: string): number {
    if (name === this.#lastName) return this.#lastNumber;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      const own = ownText(name);
      number = this.all.length;
      this.all.push(own);
      this.#numbers.set(own, number);
    }
    this.#lastName = this.all[number];
    this.#lastNumber = number;
    return number;
  }
}

/**
 * Every attempt at every slice of one execution as columns of numbers: 66 bytes per attempt, so that counts,
 * times and pictures of a hundred thousand take milliseconds. Times are milliseconds since 1970, or NaN;
 * names are numbers of `names`; states are indexes of `sliceStatuses`.
 */
export class AttemptColumns {
  length = 0;
  readonly names = {
    stf: new Names(),
    worker: new Names(),
    host: new Names(),
    job: new Names(),
    cause: createCauses(),
  };
  stf = new Int32Array(0);
  sliceId = new Int32Array(0);
  attempt = new Int32Array(0);
  /** Time frames of the slice; 0 if unknown. */
  tfCount = new Int32Array(0);
  state = new Uint8Array(0);
  isCurrent = new Uint8Array(0);
  worker = new Int32Array(0);
  host = new Int32Array(0);
  job = new Int32Array(0);
  cause = new Int32Array(0);
  created = new Float64Array(0);
  queued = new Float64Array(0);
  started = new Float64Array(0);
  completed = new Float64Array(0);
  processing = new Float64Array(0);
  /**
   * The last attempt of each slice, by the file that numbers it and its id, and the previous attempt of each
   * attempt.
   */
  readonly #last: number[][] = [];
  #before = new Int32Array(0);
  readonly #causes = new Map<string, number>();

  /** The STF file of each other file that numbers slices, by the number of that file's name. */
  readonly stfOfFile = new Map<number, string>();

  /**
   * The index of an attempt at a slice, added if missing.
   * @param of its STF file, and the file that numbers its slices, if that is another one
   */
  placeOf(of: { stf: string; file: string | undefined }, sliceId: number, attempt: number): number {
    const stf = this.names.stf.numberOf(of.file ?? of.stf);
    if (of.file !== undefined && !this.stfOfFile.has(stf)) this.stfOfFile.set(stf, of.stf);
    const last = (this.#last[stf] ??= []);
    const latest = last[sliceId] ?? noName;
    for (let at = latest; at !== noName; at = this.#before[at] ?? noName) if (this.attempt[at] === attempt) return at;
    const at = this.#add();
    this.#before[at] = latest;
    last[sliceId] = at;
    this.stf[at] = stf;
    this.sliceId[at] = sliceId;
    this.attempt[at] = attempt;
    return at;
  }

  /** @param isCurrent whether this is the slice's current attempt */
  setState(at: number, state: SliceStatus, isCurrent: boolean) {
    this.state[at] = sliceStatuses.indexOf(state);
    this.isCurrent[at] = isCurrent ? 1 : 0;
  }

  setTimes(at: number, { created, queued, started, completed, processing }: AttemptTimes) {
    this.created[at] = created;
    this.queued[at] = queued;
    this.started[at] = started;
    this.completed[at] = completed;
    this.processing[at] = processing;
  }

  /** Call after `setState`: only a failure has a cause. */
  setNames(at: number, [worker, host, error, job]: readonly (string | undefined)[]) {
    const { names } = this;
    this.job[at] = job === undefined ? noName : names.job.numberOf(job);
    this.worker[at] = worker === undefined ? noName : names.worker.numberOf(worker);
    this.host[at] = host === undefined ? noName : names.host.numberOf(host);
    this.cause[at] = this.state[at] === failedState ? this.#causeOf(error) : noName;
  }

  #causeOf(error = 'failed without a reason'): number {
    let cause = this.#causes.get(error);
    if (cause === undefined) {
      cause = this.names.cause.numberOf(error);
      if (this.#causes.size >= maxErrors) this.#causes.clear();
      this.#causes.set(ownText(error), cause);
    }
    return cause;
  }

  #add(): number {
    if (this.length === this.stf.length) this.#grow();
    this.length += 1;
    return this.length - 1;
  }

  #grow() {
    const size = Math.max(1024, this.stf.length * 2);
    for (const name of ['stf', 'sliceId', 'attempt', 'tfCount', 'worker', 'host', 'job', 'cause'] as const)
      this[name] = longer(this[name], new Int32Array(size));
    for (const name of ['state', 'isCurrent'] as const) this[name] = longer(this[name], new Uint8Array(size));
    for (const name of ['created', 'queued', 'started', 'completed', 'processing'] as const)
      this[name] = longer(this[name], new Float64Array(size));
    this.#before = longer(this.#before, new Int32Array(size));
  }
}

function longer<T extends Int32Array | Uint8Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

/** Ends each value, and occurs in none of ours. */
const valueEnd = '\u001F';
const valueEndCode = valueEnd.charCodeAt(0);

/** As SQL: the file that numbers a slice, by its name: NULL if that is its STF file, else its TF file. */
const numberedIn = (s: string) =>
  `iif(instr(${s}slice_filename, replace(${s}stf_filename, '.stf', '_slice_')) = 1, NULL, ${s}tf_filename)`;

/**
 * As SQL: the values of an attempt that this program creates, in the order in which `takeAttempts` reads
 * them, with semicolons between.
 */
const ownValues = {
  current:
    `stf_filename; ${numberedIn('')}; slice_id; attempt; status; '1'; starts; coalesce(tf_count, 0); created_at; ` +
    'queued_again_at; assigned_at; left_from; completed_at; processing_seconds',
  earlier:
    `s.stf_filename; ${numberedIn('s.')}; s.slice_id; a.attempt; a.state; '0'; a.starts; coalesce(s.tf_count, 0); s.created_at; ` +
    'nullif(a.queued_at, s.created_at); a.started_at; NULL; a.completed_at; a.processing_seconds',
};

/** As SQL: values that others may have created. */
const foreignValues = {
  current: ['assigned_worker', 'left_by', 'hostname', `iif(status = 'failed', substr(error, 1, 1000), NULL)`, 'job'],
  earlier: ['a.worker_id', 'NULL', 'a.hostname', 'substr(a.error, 1, 1000)', 'a.job'],
};

/**
 * As SQL: attempts as one text, current ones of `tf_slices` or earlier ones of `earlier_attempts AS a` and
 * `tf_slices AS s`. better-sqlite3 takes four times as long to create a row of values as SQLite takes to read
 * it. Separators in texts of others are replaced, so that none looks like two.
 */
export function attemptsAsText(kind: keyof typeof ownValues): string {
  const values = [
    ...ownValues[kind].split('; '),
    ...foreignValues[kind].map((value) => `replace(${value}, '${valueEnd}', ' ')`),
  ];
  return `group_concat(concat(${values.map((value) => `${value}, '${valueEnd}'`).join(', ')}), '')`;
}

/** Parses the attempts of such a text into columns. */
export function takeAttempts(text: string, columns: AttemptColumns) {
  let at = 0;
  const word = (): string => {
    const end = text.indexOf(valueEnd, at);
    const found = text.slice(at, end);
    // A damaged value may have cut off others: the rest is read to its end.
    at = end < 0 ? text.length : end + 1;
    return found;
  };
  const isAbsent = () => text.charCodeAt(at) === valueEndCode;
  const optional = (): string | undefined => {
    if (!isAbsent()) return word();
    at += 1;
    return undefined;
  };
  const whole = (): number => {
    let found = 0;
    for (; at < text.length && text.charCodeAt(at) !== valueEndCode; at += 1)
      found = found * 10 + text.charCodeAt(at) - 48;
    at += 1;
    return found;
  };
  const time = (): number => {
    if (isAbsent()) {
      at += 1;
      return NaN;
    }
    // No time, in a damaged store.
    if (text.indexOf(valueEnd, at) !== at + timeLength) return Date.parse(word());
    const found = millisecondsAt(text, at);
    at += timeLength + 1;
    return found;
  };
  const either = (first: number, second: number) => (Number.isNaN(first) ? second : first);
  while (at < text.length) {
    const place = columns.placeOf({ stf: word(), file: optional() }, whole(), whole());
    columns.setState(place, word() as SliceStatus, whole() === 1);
    // A result may arrive for a slice whose start was never reported.
    const wasStarted = whole() > 0;
    columns.tfCount[place] = whole();
    const created = time();
    const queued = either(time(), created);
    const started = either(time(), time());
    const completed = time();
    const processing = Number(optional() ?? NaN);
    columns.setTimes(place, { created, queued, started: wasStarted ? started : NaN, completed, processing });
    const worker = optional();
    const left = optional();
    columns.setNames(place, [worker ?? left, optional(), optional(), optional()]);
  }
}
