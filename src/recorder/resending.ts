import { lostFiles, newestPlace, noteNewPlace, withNewestPlace } from '../db/execution/file-places.ts';
import { readMessage } from '../db/execution/log-reader.ts';
import { phaseOf } from '../db/execution/overview.ts';
import {
  idleSlices,
  queuedSlice,
  readyStfs,
  type Unanswered,
  unreadyStfs,
  unsampledStfs,
} from '../db/execution/unanswered.ts';
import { isHeld } from '../db/log/commands.ts';
import { sendAgain } from '../db/log/outbox.ts';
import { countedDelays } from '../db/reports/stage-delays.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { workersMayTake } from '../domain/run-phases.ts';
import { placeOfFile, workKinds } from '../domain/slice-returns.ts';
import type { StageName } from '../domain/stages.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import { onceAtATime } from '../lib/batches.ts';
import { counted } from '../lib/counted.ts';
import { backoff } from '../lib/duration.ts';
import { steadyClock } from '../lib/time.ts';
import { messageIdOf, sliceMessageId } from '../messages/identity.ts';
import type { Message } from '../messages/message.ts';
import { forgetMessages, type Surroundings } from './surroundings.ts';

/** A slice counts as lost if no worker has had it for this long while a slot is free or later slices are started. */
const unheldSeconds = 30;

/** How long, in seconds, a returned slice waits before it is sent again; the wait doubles each time. */
const returnSeconds = { first: 5, longest: 60 };

/**
 * A file is announced again once it has been unanswered for `unansweredSeconds` or for `usualFactor` times the
 * usual delay, whichever is longer.
 */
const unansweredSeconds = 60;
const usualFactor = 3;

/** How long to wait before announcing a file yet again; the wait doubles each time. */
const announcedSeconds = { first: 120, longest: 1800 };

/** How long to wait before sending an unclaimed slice yet again; the wait doubles each time. */
const unheldAgainSeconds = { first: 60, longest: 1800 };

/** How often to check for unclaimed slices and for unanswered files, in ticks of one second. */
const unheldTicks = 10;
const unansweredTicks = 15;

interface ResendingOptions extends Pick<Surroundings, 'store' | 'directory' | 'warn' | 'onFault'> {
  /** Called when messages are waiting to be sent again. */
  resend: () => void;
  /** Called with the message ids of slices that have no result and that no agent holds. */
  onLost: (messageIds: readonly string[]) => void;
}

/**
 * Messages that were sent again, or are to be sent again. Each becomes due after a wait that doubles each
 * time.
 * @param waits in seconds
 */
function createDues(waits: typeof returnSeconds) {
  /** By message id. `at` is measured with `performance.now()`. */
  const dues = new Map<string, { at: number; times: number }>();
  return {
    dues,
    /** Records that a message is being sent again, or has been returned. */
    note(id: string) {
      const times = (dues.get(id)?.times ?? 0) + 1;
      dues.set(id, { at: performance.now() + backoff(times, waits) * 1000, times });
    },
    mayBeDue: (id: string) => (dues.get(id)?.at ?? 0) <= performance.now(),
    forget: (executionId: string) => forgetMessages(dues, executionId),
  };
}

type Dues = ReturnType<typeof createDues>;

/**
 * Started slices that no worker has in hand any longer. A broker puts such slices back at the head of its
 * queue. So if other slices are started long afterwards, the broker has lost the earlier ones, however busy the
 * workers are.
 */
function createBegun() {
  /** For each slice, by message id: the time since which no worker has had it. */
  const dropped = new Map<string, number>();
  const lastStarts = new Map<string, number>();
  return {
    note: (executionId: string) => void lastStarts.set(executionId, performance.now()),
    /** The lost slices of an execution. @param ids slices that no worker has now */
    lost(executionId: string, ids: ReadonlySet<string>) {
      forgetMessages(dropped, executionId, ids);
      for (const id of ids) if (!dropped.has(id)) dropped.set(id, performance.now());
      const last = (lastStarts.get(executionId) ?? -Infinity) - unheldSeconds * 1000;
      return new Set([...ids].filter((id) => (dropped.get(id) ?? Infinity) <= last));
    },
    forget(executionId: string) {
      lastStarts.delete(executionId);
      forgetMessages(dropped, executionId);
    },
  };
}

/**
 * Ensures that nothing waits forever: resends slices that no agent has, and announces files again if no agent
 * has responded to them. Thus a broker that loses its disk costs minutes but no data.
 */
export function createResending(options: ResendingOptions) {
  const { store, resend, onFault } = options;
  /** The parameters of the executions that this process drives. */
  const driven = new Map<string, ExecutionParams>();
  const returned = createDues(returnSeconds);
  const announced = createDues(announcedSeconds);
  /** Unclaimed slices. */
  const unclaimed = createDues(unheldAgainSeconds);
  const begun = createBegun();
  /** Executions with messages that were sent again. */
  const sentAgain = new Set<string>();
  let tick = 0;
  const look = onceAtATime(async () => {
    tick += 1;
    try {
      const again = [
        ...returnedNow(returned, options),
        ...(tick % unheldTicks === 0 ? unheld({ driven, unclaimed, begun }, options) : []),
        ...(tick % unansweredTicks === 0 ? unanswered(driven, announced, options) : []),
      ];
      if (again.length === 0) return;
      for (const id of await store.write((tx) => sendAgain(tx, again))) sentAgain.add(id);
      resend();
    } catch (error) {
      onFault(error);
    }
  });
  const timer = setInterval(() => void look(), 1000);
  return {
    add: (executionId: string, params: ExecutionParams) => void driven.set(executionId, params),
    /** Forgets an execution. Returns whether any of its messages were sent again. */
    remove(executionId: string) {
      driven.delete(executionId);
      for (const one of [returned, announced, unclaimed, begun]) one.forget(executionId);
      return sentAgain.delete(executionId);
    },
    close: () => clearInterval(timer),
    /** Call each time a worker begins a slice. */
    noteStart: ({ execution_id = '' }: Message<'slice_started'>) => begun.note(execution_id),
    /** Call each time a worker returns a slice. */
    noteReturn: (message: Message<'slice_returned'>) => returned.note(sliceMessageId(message.execution_id, message)),
    notePlace: (message: Message<'tf_file_registered'>) => notePlace(message, options),
  };
}

/** Notes where a TF file was registered: if another host remade it, its slices name that host from now on. */
async function notePlace(message: Message<'tf_file_registered'>, { store, warn, onFault }: ResendingOptions) {
  try {
    // Usually this is the first report of the file, and no transaction is needed.
    if (newestPlace(store.sql, message.tf_filename) === message.file_url) return;
    // A message that contradicts the log is about another file with this name.
    if (!store.messages.isRecorded({ kind: 'message', message })) return;
    const isMoved = await store.write((tx) => noteNewPlace(tx, message));
    if (isMoved) warn(`TF file ${message.tf_filename} was made again: it is now at ${message.file_url ?? ''}`);
  } catch (error) {
    onFault(error);
  }
}

/** Returned slices that are due and that a worker on duty can process. */
function returnedNow({ dues }: Dues, { store, directory }: ResendingOptions) {
  const now = performance.now();
  const due = [...dues].filter(([, { at }]) => at <= now && at !== Infinity);
  return due.flatMap(([id, entry]) => {
    const slice = queuedSlice(store.sql, id);
    if (slice === undefined) dues.delete(id);
    if (slice === undefined || !directory.hasOnDuty('worker', workKinds(withNewestPlace(store.sql, slice)))) return [];
    // Not due until a worker returns the slice again.
    entry.at = Infinity;
    return [id];
  });
}

interface Unheld {
  driven: ReadonlyMap<string, ExecutionParams>;
  unclaimed: Dues;
  begun: ReturnType<typeof createBegun>;
}

function unheld({ driven, unclaimed, begun }: Unheld, options: ResendingOptions) {
  const { store, directory, warn, onLost } = options;
  const { sql } = store;
  const free = (kinds: Parameters<AgentDirectory['hasFree']>[1]) =>
    directory.hasFree('worker', kinds, unheldSeconds * 1000);
  const isAnyFree = free([]);
  const inHand = directory.inHand();
  return [...driven.keys()].flatMap((executionId) => {
    if (!workersMayTake(phaseOf(sql, executionId) ?? 'none') || isHeld(sql, executionId)) return [];
    const idle = idleSlices(sql, executionId, unheldSeconds).filter(({ id }) => !inHand.has(id));
    const wereBegun = idle.filter(({ isBegun }) => isBegun).map(({ id }) => id);
    const overtaken = begun.lost(executionId, new Set(wereBegun));
    const lost = idle
      .map(({ id }) => id)
      .filter((id) => (isAnyFree || overtaken.has(id)) && unclaimed.mayBeDue(id))
      .filter((id) => {
        const slice = readMessage(sql, id);
        if (slice?.msg_type !== 'slice') return false;
        const resting = { reason: 'FAILING', name: executionId };
        const kinds = [...workKinds(withNewestPlace(sql, slice)), resting];
        return overtaken.has(id) ? directory.hasOnDuty('worker', kinds) : free(kinds);
      });
    for (const id of lost) unclaimed.note(id);
    onLost(lost);
    if (lost.length > 0) warn(`resending ${counted(lost.length, 'TF slice')} of ${executionId} that no worker holds`);
    return lost;
  });
}

function unanswered(
  driven: ReadonlyMap<string, ExecutionParams>,
  announced: Dues,
  { store: { sql }, directory }: ResendingOptions,
) {
  const inHand = directory.inHand();
  /** The unanswered files for which an agent is on duty. */
  const on = (type: 'data' | 'fastmon', files: () => Unanswered[]) => {
    const canBeDone = ({ file_url }: Unanswered) =>
      directory.hasOnDuty(type, file_url === undefined ? [] : [{ reason: 'NO_FILE', name: placeOfFile(file_url) }]);
    return directory.hasOnDuty(type) ? files().filter(canBeDone) : [];
  };
  return [...driven].flatMap(([executionId, params]) => {
    const before = (stage: StageName) => {
      const usual = countedDelays(sql, executionId).find((delay) => delay.stage === stage)?.mean ?? 0;
      return new Date(steadyClock().now() - 1000 * Math.max(unansweredSeconds, usualFactor * usual)).toISOString();
    };
    const sampled = 'stf_ready → tf_file_registered';
    const due = [
      ...on('data', () => unreadyStfs(sql, executionId, before('stf_gen → stf_ready'))),
      ...on('fastmon', () => unsampledStfs(sql, executionId, before(sampled), params)),
      ...on('fastmon', () => readyStfs(sql, executionId, lostFiles(sql, executionId))),
    ]
      .map(messageIdOf)
      .filter((id) => !inHand.has(id) && announced.mayBeDue(id));
    for (const id of due) announced.note(id);
    return due;
  });
}
