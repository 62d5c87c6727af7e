import { setTimeout as pause } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';

import { type ErrorCode, hasCode, stackOf, SwfError } from '../lib/errors.ts';
import { createPlaces } from './calls.ts';

/** A call as sent to a thread. */
export interface LongCall {
  tool: string;
  args: unknown;
}

/** A message to a thread: a call, or a request to abandon the current call. */
export type ToThread = LongCall | 'give up';

/** The thread's reply: the tool's answer, an error that the caller can fix, or the stack of a bug. */
export type LongReply = { answer: Record<string, unknown> } | { code: ErrorCode; message: string } | { bug: string };

/** Maximum number of threads; the second serves a second client. */
const maxThreads = 2;

/** How long a call may take, and how long its thread may continue after that, in milliseconds. */
interface Limits {
  /** A call that takes longer is abandoned together with its thread. */
  milliseconds?: number;
  /** A thread that was asked to give up, but has not done so within this time, is ended. */
  giveUpMilliseconds?: number;
}

/** The maximum time for which a thread that is being terminated keeps its place, in milliseconds. */
const lastMomentMilliseconds = 5000;

const givenUp: LongReply = {
  code: 'STORE_UNAVAILABLE',
  message: 'the call was cancelled before it was answered; call again',
};

/**
 * Runs calls that may take a long time (sums, audits, searches, files) in their own threads, so that the event
 * loop stays free. A client has at most one such call running, and clients are served in turn.
 */
export function createLongCalls(startThread: () => Worker, limits: Limits = {}) {
  const takePlace = createPlaces(maxThreads);
  const idle: Worker[] = [];
  const busy = new Set<Worker>();

  const keep = (thread: Worker) => {
    idle.push(thread);
    thread.once('exit', () => {
      const at = idle.indexOf(thread);
      if (at >= 0) idle.splice(at, 1);
    });
  };
  /** Starts a thread; if that fails, frees its place. */
  const threadOr = (leave: () => void): Worker => {
    try {
      return startThread();
    } catch (error) {
      leave();
      throw error;
    }
  };
  const answered = async (call: LongCall, signal: AbortSignal, leave: () => void): Promise<LongReply | undefined> => {
    if (signal.aborted) {
      leave();
      return undefined;
    }
    const thread = idle.pop() ?? threadOr(leave);
    busy.add(thread);
    const { reply, isLost } = await replyOf(thread, { call, signal }, limits);
    if (!isLost) keep(thread);
    // A thread that is running a statement ends only after the statement. It keeps its place for a while, so
    // that the maximum number of threads is hardly ever exceeded.
    const end = isLost && Promise.race([thread.terminate(), pause(lastMomentMilliseconds, undefined, { ref: false })]);
    void Promise.resolve(end).then(() => {
      busy.delete(thread);
      return leave();
    });
    return reply;
  };

  return {
    /** Returns a tool's answer. Throws `SwfError` as the tool does, or if the call takes too long or is abandoned. */
    async call(client: string, call: LongCall, signal: AbortSignal): Promise<Record<string, unknown>> {
      const leave = await takePlace(client, signal);
      const given = leave && (await answered(call, signal, leave));
      const reply = given === undefined || signal.aborted ? givenUp : given;
      if ('answer' in reply) return reply.answer;
      if ('bug' in reply) throw new Error(reply.bug);
      throw new SwfError(reply.code, reply.message);
    },
    close(): void {
      for (const thread of [...idle, ...busy]) void thread.terminate();
    },
  };
}

/** The reply of a thread, and whether the thread is lost. */
const replyOf = (thread: Worker, { call, signal }: { call: LongCall; signal: AbortSignal }, limits: Limits) =>
  new Promise<{ reply: LongReply; isLost: boolean }>((resolve) => {
    const { milliseconds = 30_000, giveUpMilliseconds = 100 } = limits;
    const send = (message: ToThread) => thread.postMessage(message, []);
    const end = (reply: LongReply, isLost: boolean) => {
      clearTimeout(limit);
      clearTimeout(lastMoment);
      signal.removeEventListener('abort', giveUp);
      // Listeners are removed event by event, since Node's own listeners on the thread must stay.
      for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event);
      // A lost thread may still fail; ignore that.
      thread.on('error', () => {});
      resolve({ reply, isLost });
    };
    let lastMoment: NodeJS.Timeout | undefined;
    const giveUp = () => {
      send('give up');
      lastMoment = setTimeout(end, giveUpMilliseconds, givenUp, true);
    };
    const limit = setTimeout(end, milliseconds, tooLong(milliseconds), true);
    thread.on('message', (reply: LongReply) => end(reply, false));
    thread.on('error', (error) => end(failed(error), true));
    thread.on('exit', (code) => end({ bug: `the thread for long calls ended with exit code ${code}` }, true));
    signal.addEventListener('abort', giveUp);
    send(call);
  });

const tooLong = (milliseconds: number): LongReply => ({
  code: 'ARGUMENT_INVALID',
  message: `the call took longer than ${milliseconds / 1000} s and was cancelled; ask for less: one execution_id, or a shorter period from start_time to end_time`,
});

/** The reply for a failed thread: an error for the caller if the call needed too much memory, otherwise a bug. */
function failed(error: unknown): LongReply {
  if (hasCode(error, 'ERR_WORKER_OUT_OF_MEMORY'))
    return {
      code: 'ARGUMENT_INVALID',
      message: 'the call needs more memory than it may use; ask for less: one execution_id, or a shorter time',
    };
  return { bug: stackOf(error) };
}
