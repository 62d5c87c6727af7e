import { createCauses } from '../../domain/causes.ts';
import { failedState, type SliceStatus, sliceStatuses } from '../../domain/slice-states.ts';
import { millisecondsAt, timeLength } from '../../lib/time.ts';

/** The value in a name column for a missing name. */
const noName = -1;

/** Maximum number of errors whose causes are remembered. */
const maxErrors = 5000;

type Text = string | null;

/**
 * Assigns numbers to names, from 0 in order of appearance, since columns contain numbers, and very many rows
 * share a name.
 */
class Names {
  readonly all: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Neighbouring rows usually have the same name, and comparing is faster than looking up. */
  #lastName: string | undefined;
  #lastNumber = -1;

  numberOf(name: string) {
    if (name === this.#lastName) return this.#lastNumber;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.all.length;
      this.all.push(name);
      this.#numbers.set(name, number);
    }
    this.#lastName = this.all[number];
    this.#lastNumber = number;
    return number;
  }
}

const numberIn = (names: Names, name: Text = null) => (name === null ? noName : names.numberOf(name));

/**
 * Every attempt at every slice of one execution as columns of numbers. An attempt takes 66 bytes, so counts,
 * times and pictures of a hundred thousand attempts take milliseconds. Times are milliseconds since 1970, or
 * NaN; names are numbers in `names`; states are indexes into `sliceStatuses`.
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
  /** Number of Time Frames in the slice; 0 if unknown. */
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
   * The last attempt at each slice, by the file within which the slice is numbered and by the slice's id; and
   * for each attempt, the previous one.
   */
  readonly #last: number[][] = [];
  #before = new Int32Array(0);
  readonly #causes = new Map<string, number>();

  /**
   * For each TF file within which slices are numbered: its STF file. The keys are the numbers of the TF files'
   * names.
   */
  readonly stfOfFile = new Map<number, string>();

  /**
   * The index of an attempt at a slice; adds the attempt if it is missing.
   * @param of names the slice's STF file, and the file within which its slices are numbered, if that is another
   * file
   */
  placeOf(of: Record<'stf' | 'file', Text>, sliceId: number, attempt: number) {
    const stf = this.names.stf.numberOf(of.file ?? of.stf ?? '');
    if (of.file !== null && !this.stfOfFile.has(stf)) this.stfOfFile.set(stf, of.stf ?? '');
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

  /** Call this after `setState`, since only a failed attempt has a cause. */
  setNames(at: number, [worker, host, error, job]: readonly Text[]) {
    const { names } = this;
    this.worker[at] = numberIn(names.worker, worker);
    this.host[at] = numberIn(names.host, host);
    this.job[at] = numberIn(names.job, job);
    this.cause[at] = this.state[at] === failedState ? this.#causeOf(error) : noName;
  }

  #causeOf(told: Text = null) {
    const error = told === null || told === '' ? 'failed without a reason' : told;
    let cause = this.#causes.get(error);
    if (cause === undefined) {
      cause = this.names.cause.numberOf(error);
      if (this.#causes.size >= maxErrors) this.#causes.clear();
      this.#causes.set(error, cause);
    }
    return cause;
  }

  #add() {
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

function longer<T extends Int32Array | Uint8Array | Float64Array>(old: T, larger: T) {
  larger.set(old);
  return larger;
}

/**
 * As SQL: the name of the file within which a slice is numbered: NULL if that is the STF file, otherwise the TF
 * file.
 */
const numberedIn = (s: string) =>
  `iif(instr(${s}slice_filename, replace(${s}stf_filename, '.stf', '_slice_')) = 1, NULL, ${s}tf_filename)`;

/** As SQL: the values of an attempt, in the order of `AttemptRead`. */
const values = {
  current: `stf_filename, ${numberedIn('')}, slice_id, attempt, status, 1, starts, tf_count, created_at, queued_again_at, coalesce(assigned_at, left_from), completed_at,
    processing_seconds, coalesce(assigned_worker, left_by), hostname, iif(status = 'failed', substr(error, 1, 1000), NULL), job`,
  earlier: `s.stf_filename, ${numberedIn('s.')}, s.slice_id, a.attempt, a.state, 0, a.starts, s.tf_count, s.created_at, a.queued_at, a.started_at, a.completed_at,
    a.processing_seconds, a.worker_id, a.hostname, substr(a.error, 1, 1000), a.job`,
};

/**
 * As SQL: attempts as one JSON text, either current ones from `tf_slices` or earlier ones from the tables
 * `earlier_attempts AS a` and `tf_slices AS s`. The text is a single value, since better-sqlite3 takes four
 * times as long to create a row of values as SQLite takes to read the row.
 */
export const attemptsAsText = (kind: keyof typeof values) => `json_group_array(json_array(${values[kind]}))`;

/**
 * An attempt in the text of `attemptsAsText`. It is an array, since an object would take twice as long to
 * parse. Times are ISO 8601.
 */
type AttemptRead = [
  ...slice: [stf: Text, file: Text, sliceId: number, attempt: number],
  ...standing: [state: SliceStatus, isCurrent: 0 | 1, starts: number, tfCount: number | null],
  ...times: [created: Text, queued: Text, started: Text, completed: Text, processing: number | null],
  ...names: [worker: Text, host: Text, error: Text, job: Text],
];

/** Milliseconds since 1970; NaN if the time is missing or damaged. */
const timeIn = (text: Text) =>
  text === null ? NaN : text.length === timeLength ? millisecondsAt(text, 0) : Date.parse(text);

/** Parses the text of `attemptsAsText` into columns. */
export function takeAttempts(text: string, columns: AttemptColumns) {
  for (const [
    stf,
    file,
    sliceId,
    attempt,
    state,
    isCurrent,
    starts,
    tfCount,
    created,
    queued,
    started,
    completed,
    processing,
    ...names
  ] of JSON.parse(text) as AttemptRead[]) {
    const at = columns.placeOf({ stf, file }, sliceId, attempt);
    columns.setState(at, state, isCurrent === 1);
    columns.tfCount[at] = tfCount ?? 0;
    columns.created[at] = timeIn(created);
    columns.queued[at] = timeIn(queued ?? created);
    // A result may arrive for a slice whose start was never reported.
    columns.started[at] = starts > 0 ? timeIn(started) : NaN;
    columns.completed[at] = timeIn(completed);
    columns.processing[at] = processing ?? NaN;
    columns.setNames(at, names);
  }
}
