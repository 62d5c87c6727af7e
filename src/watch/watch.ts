import {
  becomeWatcher,
  candidates,
  knowReceiver,
  lastLook,
  leaveOut,
  watchedExecutions,
} from '../db/logbook/watching.ts';
import { hasOpenFiles } from '../db/observed/prompt.ts';
import { recordEnd, recordHeartbeat } from '../db/presence/agent-registry.ts';
import { registerProcess } from '../db/presence/leases.ts';
import type { Queries } from '../db/queries.ts';
import { fileAt } from '../db/sqlite/store-file.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { pause } from '../lib/deadline.ts';
import { executionInUse, messageOf, SwfError } from '../lib/errors.ts';
import { currentProcess, isAlive } from '../lib/process-identity.ts';
import { type AlarmFinding, alarmFindings } from '../monitoring/findings/alarms.ts';
import { deliver, type DeliveryOptions } from './deliver.ts';
import { recordLook } from './look.ts';
import type { Receiver } from './receiver.ts';

interface WatchOptions extends Omit<DeliveryOptions, 'processId'> {
  /** The current store. */
  queries: () => Queries;
  receivers: readonly Receiver[];
  everySeconds: number;
  /** Seconds that a finding must last, by code, if not the usual time. */
  after: Readonly<Record<string, number>>;
  version: string;
  /** Called once it watches or stands by. */
  onReady: () => void;
}

/** How often a standby process checks whether it is needed, in milliseconds. */
const standbyMilliseconds = 1000;

/**
 * Watches a store until the signal is aborted: looks for findings, raises, clears and delivers alarms. One process
 * does that for a store; another stands by, and takes over when it is gone. Throws `EXECUTION_IN_USE` if another
 * process has taken over from this one, as after a long standstill.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { store, version, receivers, say, signal, page } = options;
  const processId = await store.write((tx) => registerProcess(tx, currentProcess(), version));
  const beat = setInterval(() => {
    store.write((tx) => recordHeartbeat(tx, processId, new Map())).catch(() => {});
  }, beatSeconds * 1000);
  const over = new AbortController();
  signal.addEventListener('abort', () => over.abort());
  if (signal.aborted) over.abort();
  try {
    if (!(await takePlace(options, processId))) return;
    const context = { store, processId, page, say, signal: over.signal };
    const work = [
      lookAgainAndAgain({ ...options, signal: over.signal }, processId),
      ...receivers.map((receiver) => deliver(receiver, context)),
    ];
    // If one fails, all end; wait for work in progress.
    await Promise.allSettled(work.map((one) => one.finally(() => over.abort())));
    await Promise.all(work);
  } finally {
    clearInterval(beat);
    store.hurry();
    await store.write((tx) => recordEnd(tx, processId, 'order')).catch(() => {});
  }
}

/** Waits until no other process watches. False if the signal is aborted first. */
async function takePlace(options: WatchOptions, processId: number) {
  const { store, receivers, say, onReady, signal } = options;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const isMine = await store.write((tx) => {
      if (isFirst) for (const receiver of receivers) knowAgain(tx, receiver, say);
      return becomeWatcher(tx, processId, isAlive, Date.now());
    });
    if (isFirst) onReady();
    if (isMine) {
      const names = receivers.map(({ name }) => name);
      say(
        `watching ${store.path}${names.length === 0 ? ', without a receiver: give --notify or --webhook' : `, notifying ${names.join(' and ')}`}`,
      );
      return true;
    }
    if (isFirst)
      say(
        `another process is watching this store; this one waits${receivers.length === 0 ? '' : ', and reports what happens meanwhile once it takes over'}`,
      );
    await pause(standbyMilliseconds, [signal]);
  }
  return false;
}

/** A change that a receiver has missed for this long is no longer sent to it, in milliseconds. */
const stale = 86_400_000;

function knowAgain(tx: Transaction, { key, name }: Receiver, say: (line: string) => void) {
  knowReceiver(tx, key);
  const changes = leaveOut(tx, key, Date.now() - stale);
  if (changes > 0)
    say(
      `WARNING did not notify ${name} of ${changes} ${changes === 1 ? 'change that is' : 'changes that are'} older than a day; "swf-mcp alarms" lists alarms`,
    );
}

async function lookAgainAndAgain(options: WatchOptions, processId: number) {
  const { store, everySeconds, after, say, signal } = options;
  const looker = createLooker(options);
  while (!signal.aborted) {
    let took = 0;
    try {
      const now = Date.now();
      const began = performance.now();
      const found = looker.look(now);
      took = performance.now() - began;
      const lines = await recordLook(store, processId, { found, now, after });
      if (lines === undefined)
        throw executionInUse('another process now watches this store; start this one again to wait for it');
      for (const line of lines) say(line);
      looker.succeeded(now);
    } catch (error) {
      looker.failed(error);
    }
    // A check of a very large run must leave time for others.
    await pause(Math.max(everySeconds * 1000 - took, took), [signal]);
  }
}

/** An execution that ended this long ago usually no longer changes, in milliseconds. */
const settled = 120_000;

/**
 * An execution that ended this shortly before the last check may have been missed or may still change, in
 * milliseconds.
 */
const overlap = 3_600_000;

const hasSettled = ({ status, end_time }: ReturnType<Queries['execution']>, now: number) =>
  status !== 'running' && end_time !== null && now - Date.parse(end_time) > settled;

/** Examines executions, and remembers which have nothing new. */
function createLooker({ store, queries: queriesNow, say }: Pick<WatchOptions, 'store' | 'queries' | 'say'>) {
  const file = fileAt(store.path);
  /** Milliseconds since 1970. */
  let since = Math.min(lastLook(store.sql), Date.now()) - overlap;
  /** Message counts of settled executions at the last recorded check and at this one. */
  let known: ReadonlyMap<string, number> = new Map();
  let settledNow = new Map<string, number>();
  const unreadable = new Set<string>();
  let failures = 0;

  /** Undefined for an execution that cannot be read, was removed, or has not changed since it ended. */
  const findingsOf = (id: string, now: number, isKnown: boolean): AlarmFinding[] | undefined => {
    const queries = queriesNow();
    try {
      const found = queries.snapshot(() => {
        const execution = queries.execution(id);
        const isSettled = hasSettled(execution, now) && !hasOpenFiles(store.sql, id);
        const messages = queries.messageCount(id);
        if (isSettled) settledNow.set(id, messages);
        if (isSettled && isKnown && known.get(id) === messages) return undefined;
        return alarmFindings(id, queries.assessWithFindings(execution, now, queries.dataAsOf()).findings);
      });
      unreadable.delete(id);
      return found;
    } catch (error) {
      if (!unreadable.has(id) && !(error instanceof SwfError && error.code === 'EXECUTION_REMOVED'))
        say(`WARNING ${id} cannot be checked: ${messageOf(error)}`);
      unreadable.add(id);
      return undefined;
    }
  };

  return {
    /** The findings of each execution examined. Throws `SwfError` if the store cannot be read. */
    look(now: number): Map<string, AlarmFinding[]> {
      const found = new Map<string, AlarmFinding[]>();
      const onTheirWay = new Set(candidates(store.sql).map(({ execution_id }) => execution_id));
      settledNow = new Map();
      for (const id of watchedExecutions(store.sql, new Date(since).toISOString())) {
        const findings = findingsOf(id, now, !onTheirWay.has(id));
        if (findings !== undefined) found.set(id, findings);
      }
      return found;
    },
    /** Records that the last check was recorded. */
    succeeded(now: number): void {
      known = settledNow;
      since = now - overlap;
      if (failures > 0) say('the store can be read again');
      failures = 0;
    },
    /** Throws errors that are not transient: another store, a store of another version, or another watcher. A full disk and a lock are. */
    failed(error: unknown): void {
      const passes = error instanceof SwfError && error.code === 'STORE_UNAVAILABLE';
      if (!passes || fileAt(store.path) !== file) throw error;
      failures += 1;
      if (failures === 1) say(`WARNING the store cannot be watched: ${error.line}`);
    },
  };
}
