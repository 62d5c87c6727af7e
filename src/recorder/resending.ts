import { lostFiles, newestPlace, noteNewPlace, withNewestPlace } from '../db/execution/file-places.ts';
import { readMessage } from '../db/execution/log-reader.ts';
import { phaseOf } from '../db/execution/overview.ts';
import {
  idleSliceMessages,
  queuedSlice,
  readyStfs,
  type Unanswered,
  unreadyStfs,
  unsampledStfs,
} from '../db/execution/unanswered.ts';
import { isHeld } from '../db/log/held.ts';
import { sendAgain } from '../db/log/outbox.ts';
import { stageDelays } from '../db/reports/stage-delays.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { workersMayTake } from '../domain/run-phases.ts';
import { placeOfFile, workKinds } from '../domain/slice-returns.ts';
import type { StageName } from '../domain/stages.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import { backoff } from '../lib/duration.ts';
import { steadyClock } from '../lib/time.ts';
import { messageIdOf, sliceMessageId } from '../messages/identity.ts';
import type { Message } from '../messages/message.ts';
import type { Surroundings } from './surroundings.ts';

/** A slice that nobody claims for this long while a slot is free counts as lost. */
const unheldSeconds = 30;

/** How long a returned slice waits before it is sent again; the wait doubles each time. */
const returnSeconds = { first: 5, longest: 60 };

/** A file that nobody answers for this long, and for this many times the usual delay, is announced again. */
const unansweredSeconds = 60;
const usualFactor = 3;

/** The wait before a file that was announced again is announced once more; it doubles each time. */
const announcedSeconds = { first: 120, longest: 1800 };

/** The same for an unclaimed slice that was sent again. */
const unheldAgainSeconds = { first: 60, longest: 1800 };

/** How often to check each kind, in ticks of one second. */
const unheldTicks = 10;
const unansweredTicks = 15;

interface ResendingOptions extends Pick<Surroundings, 'store' | 'directory' | 'warn' | 'onFault'> {
  /** Called when messages wait to be sent again. */
  resend: () => void;
  /** Called with the message ids of slices that no agent holds and that have no result. */
  onLost: (messageIds: readonly string[]) => void;
}

interface Due {
  /** When it may be sent again, by `performance.now()`. */
  at: number;
  times: number;
}

/**
 * Ensures that nothing waits forever: it resends slices that no agent has, and announces files again that no agent has answered. So a broker that
 * loses its disk costs minutes and no data.
 */
export class Resending {
  readonly #options: ResendingOptions;
  /** The parameters of the executions that this process drives. */
  readonly #driven = new Map<string, ExecutionParams>();
  /** Returned slices, by message id. */
  readonly #returned = new Map<string, Due>();
  /** Files announced again, by message id. */
  readonly #announced = new Map<string, Due>();
  /** Unclaimed slices that were sent again, by message id. */
  readonly #unheldSlices = new Map<string, Due>();
  /** Executions with messages that were sent again. */
  readonly #sentAgain = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #tick = 0;
  #isBusy = false;

  constructor(options: ResendingOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), 1000);
  }

  add(executionId: string, params: ExecutionParams): void {
    this.#driven.set(executionId, params);
  }

  /** Forgets an execution. Returns whether any of its messages were sent again. */
  remove(executionId: string): boolean {
    this.#driven.delete(executionId);
    const hasSentAgain = this.#sentAgain.delete(executionId);
    for (const due of [this.#returned, this.#announced, this.#unheldSlices])
      for (const id of due.keys()) if (id.startsWith(`${executionId}/`)) due.delete(id);
    return hasSentAgain;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Call each time a worker returns a slice. */
  noteReturn({ execution_id = '', slice_filename, attempt }: Message<'slice_returned'>): void {
    this.#noteAgain(this.#returned, sliceMessageId(execution_id, slice_filename, attempt), returnSeconds);
  }

  /** Notes where a TF file was registered: if another host remade it, its slices name that host from now on. */
  async notePlace(message: Message<'tf_file_registered'>): Promise<void> {
    const { store, warn, onFault } = this.#options;
    try {
      // Usually it is the first report of the file, which needs no transaction.
      if (newestPlace(store.sql, message.tf_filename) === message.file_url) return;
      // A message that contradicts the log is about another file.
      if (!store.messages.isRecorded({ kind: 'message', message })) return;
      const isMoved = await store.write((tx) => noteNewPlace(tx, message));
      if (isMoved) warn(`TF file ${message.tf_filename} was made again: it is at ${message.file_url ?? ''} now`);
    } catch (error) {
      onFault(error);
    }
  }

  async #look() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#tick += 1;
    try {
      const again = [
        ...this.#returnedNow(),
        ...(this.#tick % unheldTicks === 0 ? this.#unheld() : []),
        ...(this.#tick % unansweredTicks === 0 ? this.#unanswered() : []),
      ];
      if (again.length === 0) return;
      const executions = await this.#options.store.write((tx) => sendAgain(tx, again));
      for (const id of executions) this.#sentAgain.add(id);
      this.#options.resend();
    } catch (error) {
      this.#options.onFault(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Returned slices that are due and that a worker on duty can do. */
  #returnedNow(): string[] {
    const { store, directory } = this.#options;
    const now = performance.now();
    const due = [...this.#returned].filter(([, { at }]) => at <= now && at !== Infinity);
    return due.flatMap(([id, entry]) => {
      const slice = queuedSlice(store.sql, id);
      if (slice === undefined) this.#returned.delete(id);
      if (slice === undefined || !directory.hasOnDuty('worker', workKinds(withNewestPlace(store.sql, slice))))
        return [];
      // Not due until a worker returns it once more.
      entry.at = Infinity;
      return [id];
    });
  }

  #unheld(): string[] {
    const { store, directory, warn, onLost } = this.#options;
    const free = (kinds: Parameters<AgentDirectory['hasFree']>[1]) =>
      directory.hasFree('worker', kinds, unheldSeconds * 1000);
    if (!free([])) return [];
    const inHand = directory.inHand();
    return [...this.#driven.keys()].flatMap((executionId) => {
      if (!this.#mayBeTaken(executionId)) return [];
      const unheld = idleSliceMessages(store.sql, executionId, unheldSeconds)
        .filter((id) => !inHand.has(id) && this.#mayBeDue(this.#unheldSlices, id))
        .filter((id) => {
          const slice = readMessage(store.sql, id);
          return slice?.msg_type === 'slice' && free(workKinds(withNewestPlace(store.sql, slice)));
        });
      for (const id of unheld) this.#noteAgain(this.#unheldSlices, id, unheldAgainSeconds);
      onLost(unheld);
      if (unheld.length > 0)
        warn(`nobody has ${unheld.length} TF slices of ${executionId}, though workers are free; they are sent again`);
      return unheld;
    });
  }

  #mayBeTaken(executionId: string): boolean {
    const { sql } = this.#options.store;
    return workersMayTake(phaseOf(sql, executionId) ?? 'none') && !isHeld(sql, executionId);
  }

  #unanswered(): string[] {
    const { store, directory } = this.#options;
    const inHand = directory.inHand();
    /** The files for which an agent is on duty. */
    const on = (type: 'data' | 'fastmon', files: () => Unanswered[]): Unanswered[] => {
      const canBeDone = ({ file_url }: Unanswered) =>
        directory.hasOnDuty(type, file_url === undefined ? [] : [{ reason: 'NO_FILE', name: placeOfFile(file_url) }]);
      return directory.hasOnDuty(type) ? files().filter(canBeDone) : [];
    };
    return [...this.#driven].flatMap(([executionId, params]) => {
      const before = (stage: StageName): string => {
        const usual = stageDelays(store.sql, executionId).find((delay) => delay.stage === stage)?.mean ?? 0;
        return new Date(steadyClock().now() - 1000 * Math.max(unansweredSeconds, usualFactor * usual)).toISOString();
      };
      const sampled = 'stf_ready → tf_file_registered';
      const due = [
        ...on('data', () => unreadyStfs(store.sql, executionId, before('stf_gen → stf_ready'))),
        ...on('fastmon', () => unsampledStfs(store.sql, executionId, before(sampled), params)),
        ...on('fastmon', () => readyStfs(store.sql, executionId, lostFiles(store.sql, executionId))),
      ]
        .map(messageIdOf)
        .filter((id) => !inHand.has(id) && this.#mayBeDue(this.#announced, id));
      for (const id of due) this.#noteAgain(this.#announced, id, announcedSeconds);
      return due;
    });
  }

  #mayBeDue(sent: ReadonlyMap<string, Due>, id: string): boolean {
    return (sent.get(id)?.at ?? 0) <= performance.now();
  }

  /** Notes that a message is sent again now: it is due again after a wait that doubles each time. */
  #noteAgain(due: Map<string, Due>, id: string, waits: typeof returnSeconds) {
    const times = (due.get(id)?.times ?? 0) + 1;
    due.set(id, { at: performance.now() + backoff(times, waits) * 1000, times });
  }
}
