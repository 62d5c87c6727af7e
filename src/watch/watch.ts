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
import { counted } from '../lib/counted.ts';
import { pause } from '../lib/deadline.ts';
import { executionInUse, hasCode, messageOf, SwfError } from '../lib/errors.ts';
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
  /** How many seconds a finding must last, by code, where that differs from the usual time. */
  after: Readonly<Record<string, number>>;
  version: string;
  /** Called once this process is watching or standing by. */
  onReady: () => void;
}

/** How often, in milliseconds, a process that stands by checks whether it is needed. */
const standbyMilliseconds = 1000;

/**
 * Watches a store until the signal is aborted: looks for findings, and raises, clears and delivers alarms. One
 * process does this for a store; another stands by, and takes over when the first is gone. Throws
 * `EXECUTION_IN_USE` if another process has taken over from this one, which can happen if this process stalls
 * for a long time.
 */
export async function watch(options: WatchOptions) {
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
    // If one part fails, the others end too. Wait for work in progress.
    await Promise.allSettled(work.map((one) => one.finally(() => over.abort())));
    await Promise.all(work);
  } finally {
    clearInterval(beat);
    store.hurry();
    await store.write((tx) => recordEnd(tx, processId, 'order')).catch(() => {});
  }
}

/** Waits until no other process is watching. Returns false if the signal is aborted first. */
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
        `watching ${store.path}${names.length === 0 ? '; "swf-mcp alarms" shows alarms, and --notify or --webhook also sends them' : `, notifying ${names.join(' and ')}`}`,
      );
      return true;
    }
    if (isFirst)
      say(
        `another process is watching this store; this one waits${receivers.length === 0 ? '' : ', and when it takes over, reports what happened until then'}`,
      );
    await pause(standbyMilliseconds, [signal]);
  }
  return false;
}

/** How long, in milliseconds, to keep sending a change that a receiver does not accept. */
const stale = 86_400_000;

function knowAgain(tx: Transaction, { key, name }: Receiver, say: (line: string) => void) {
  knowReceiver(tx, key);
  const changes = leaveOut(tx, key, Date.now() - stale);
  if (changes > 0)
    say(
      `WARNING did not notify ${name} of ${counted(changes, 'change that is', 'changes that are')} older than a day; "swf-mcp alarms" lists alarms`,
    );
}

async function lookAgainAndAgain(options: WatchOptions, processId: number) {
  const looker = createLooker(options);
  while (!options.signal.aborted) {
    let took = 0;
    try {
      const now = Date.now();
      const began = performance.now();
      const found = looker.look(now);
      took = performance.now() - began;
      const lines = await recordLook(options.store, processId, { found, now, after: options.after });
      if (lines === undefined)
        throw executionInUse('another process is now watching this store; restart this process to have it stand by');
      for (const line of lines) options.say(line);
      looker.succeeded(now);
    } catch (error) {
      looker.failed(error);
    }
    // The pause is at least as long as the check: a check of a very large run must leave time for other work.
    await pause(Math.max(options.everySeconds * 1000 - took, took), [options.signal]);
  }
}

/** An execution that ended at least this long ago, in milliseconds, usually no longer changes. */
const settled = 120_000;

/**
 * An execution that ended less than this long before the last check, in milliseconds, may have been missed or may
 * still change.
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
  const findingsOf = (id: string, now: number, isKnown: boolean) => {
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
      if (!unreadable.has(id) && !hasCode(error, 'EXECUTION_REMOVED'))
        say(`WARNING ${id} cannot be checked: ${messageOf(error)}`);
      unreadable.add(id);
      return undefined;
    }
  };

  return {
    /** The findings of each execution examined. Throws `SwfError` if the store cannot be read. */
    look(now: number) {
      const found = new Map<string, AlarmFinding[]>();
      const onTheirWay = new Set(candidates(store.sql).map(({ execution_id }) => execution_id));
      settledNow = new Map();
      for (const id of watchedExecutions(store.sql, new Date(since).toISOString())) {
        const findings = findingsOf(id, now, !onTheirWay.has(id));
        if (findings !== undefined) found.set(id, findings);
      }
      return found;
    },
    /** Call when the findings of the last check have been recorded. */
    succeeded(now: number) {
      known = settledNow;
      since = now - overlap;
      if (failures > 0) say('the store can be read again');
      failures = 0;
    },
    /** Throws the error unless it may be temporary (a full disk, a lock) and no other file has replaced the store. */
    failed(error: unknown) {
      const passes = error instanceof SwfError && error.code === 'STORE_UNAVAILABLE';
      if (!passes || fileAt(store.path) !== file) throw error;
      failures += 1;
      if (failures === 1) say(`WARNING the store cannot be watched: ${error.line}`);
    },
  };
}
