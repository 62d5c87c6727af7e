import { causeOf } from '../../domain/causes.ts';
import { type SliceStatus, sliceStatuses } from '../../domain/slice-states.ts';
import { Names } from './names.ts';

/** An attempt at a slice. Times are milliseconds since 1970, NaN where there is none. */
export interface Attempt {
  /** The name of its STF file. */
  stf: string;
  sliceId: number;
  attempt: number;
  state: SliceStatus;
  /** Whether the slice stands in this attempt. */
  isCurrent: boolean;
  worker: string | undefined;
  host: string | undefined;
  /** When the slice was made. */
  created: number;
  queued: number;
  started: number;
  completed: number;
  error: string | undefined;
}

/** The value of a name column where there is no name. */
export const noName = -1;

/** An error that is met again needs no second look. */
const mostErrors = 5000;

/**
 * Every attempt at every slice of one execution as columns of numbers: 50 bytes each, so that counts, times and pictures of a hundred thousand
 * take milliseconds. Times are milliseconds since 1970, NaN where there is none; names are numbers of `names`; states are places in
 * `sliceStatuses`.
 */
export class AttemptColumns {
  length = 0;
  readonly names = { stf: new Names(), worker: new Names(), host: new Names(), cause: new Names() };
  stf = new Int32Array(0);
  sliceId = new Int32Array(0);
  attempt = new Int32Array(0);
  state = new Uint8Array(0);
  isCurrent = new Uint8Array(0);
  worker = new Int32Array(0);
  host = new Int32Array(0);
  cause = new Int32Array(0);
  created = new Float64Array(0);
  queued = new Float64Array(0);
  started = new Float64Array(0);
  completed = new Float64Array(0);
  /** The last attempt of each slice, by STF and slice id, and of each attempt the one before it. */
  readonly #last: number[][] = [];
  #before = new Int32Array(0);
  readonly #causes = new Map<string, number>();

  /** Adds an attempt, or brings the one that is there up to date. */
  set(attempt: Attempt): void {
    const at = this.#placeOf(attempt);
    const { worker, host } = this.names;
    this.state[at] = sliceStatuses.indexOf(attempt.state);
    this.isCurrent[at] = attempt.isCurrent ? 1 : 0;
    this.worker[at] = attempt.worker === undefined ? noName : worker.numberOf(attempt.worker);
    this.host[at] = attempt.host === undefined ? noName : host.numberOf(attempt.host);
    this.cause[at] = attempt.state === 'failed' ? this.#causeOf(attempt.error) : noName;
    this.created[at] = attempt.created;
    this.queued[at] = attempt.queued;
    this.started[at] = attempt.started;
    this.completed[at] = attempt.completed;
  }

  #placeOf({ stf, sliceId, attempt }: Attempt): number {
    const number = this.names.stf.numberOf(stf);
    const last = (this.#last[number] ??= []);
    const latest = last[sliceId] ?? noName;
    for (let at = latest; at !== noName; at = this.#before[at] ?? noName) if (this.attempt[at] === attempt) return at;
    const at = this.#add();
    this.#before[at] = latest;
    last[sliceId] = at;
    this.stf[at] = number;
    this.sliceId[at] = sliceId;
    this.attempt[at] = attempt;
    return at;
  }

  #causeOf(error = 'failed without a reason'): number {
    let cause = this.#causes.get(error);
    if (cause === undefined) {
      cause = this.names.cause.numberOf(causeOf(error));
      if (this.#causes.size >= mostErrors) this.#causes.clear();
      this.#causes.set(error, cause);
    }
    return cause;
  }

  #add(): number {
    if (this.length === this.stf.length) this.#grow();
    this.length += 1;
    return this.length - 1;
  }

  #grow(): void {
    const size = Math.max(1024, this.stf.length * 2);
    this.stf = longer(this.stf, new Int32Array(size));
    this.sliceId = longer(this.sliceId, new Int32Array(size));
    this.attempt = longer(this.attempt, new Int32Array(size));
    this.state = longer(this.state, new Uint8Array(size));
    this.isCurrent = longer(this.isCurrent, new Uint8Array(size));
    this.worker = longer(this.worker, new Int32Array(size));
    this.host = longer(this.host, new Int32Array(size));
    this.cause = longer(this.cause, new Int32Array(size));
    this.created = longer(this.created, new Float64Array(size));
    this.queued = longer(this.queued, new Float64Array(size));
    this.started = longer(this.started, new Float64Array(size));
    this.completed = longer(this.completed, new Float64Array(size));
    this.#before = longer(this.#before, new Int32Array(size));
  }
}

function longer<T extends Int32Array | Uint8Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
