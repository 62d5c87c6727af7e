import { pause } from '../../lib/deadline.ts';
import type { Connection } from './connection.ts';

/** Another process that wrote within this time is assumed to go on writing, in milliseconds. */
const recently = 1000;

/** In milliseconds. Less is not slept. */
const rest = 2;

/**
 * Leaves the store's lock free for a moment if other processes write too. SQLite has no queue: a waiting process tries again and again, and a run
 * at full speed holds the lock most of the time.
 */
export class OtherWriters {
  readonly #version: () => number;
  readonly #commitsApart: number;
  #known: number | undefined;
  #until = 0;
  #commits = 0;

  /** @param commitsApart commits between two rests */
  constructor(db: Connection, commitsApart: number) {
    this.#commitsApart = commitsApart;
    // A number that changes with each commit of another connection.
    const statement = db.prepare<[], number>('PRAGMA data_version').pluck();
    this.#version = () => statement.get() ?? 0;
  }

  /** Call after each commit, before the next one. */
  async letThrough(): Promise<void> {
    this.#commits += 1;
    if (this.#commits % this.#commitsApart !== 0) return;
    const version = this.#version();
    if (this.#known !== undefined && version !== this.#known) this.#until = performance.now() + recently;
    this.#known = version;
    if (performance.now() < this.#until) await pause(rest);
  }
}
