import { setImmediate as others } from 'node:timers/promises';

import type { Queries } from '../../db/queries.ts';
import { argumentInvalid, storeUnavailable } from '../../lib/errors.ts';
import type { Steps } from '../../lib/steps.ts';
import type { LiveContext } from './tool.ts';

/** How long an answer may take, in milliseconds. */
const maxMilliseconds = 20_000;

type Asking = Pick<LiveContext, 'queries' | 'signal'>;

/**
 * Does work in steps, each in a snapshot of the store, so that other calls are served in between. Starts over
 * if the store is replaced in the meantime. Throws `ARGUMENT_INVALID` if the work would take too long.
 */
export const inSteps = async <T>(context: Asking, begin: (queries: Queries) => Steps<T>): Promise<T> =>
  (await inStepsFor(context, begin, Infinity)) as T;

/**
 * Like `inSteps`, but for at most `milliseconds`; returns undefined if the work is unfinished by then. The
 * next call continues where the work stopped.
 */
export async function inStepsFor<T>(
  { queries, signal }: Asking,
  begin: (queries: Queries) => Steps<T>,
  milliseconds: number,
): Promise<T | undefined> {
  const began = performance.now();
  let of = queries();
  let work = begin(of);
  for (;;) {
    const step = of.snapshot(() => work.next());
    if (step.done === true) return step.value;
    await others();
    if (performance.now() - began > milliseconds) return undefined;
    if (signal.aborted || performance.now() - began > maxMilliseconds) throw tooLong(signal.aborted);
    const now = queries();
    if (now !== of) {
      of = now;
      work = begin(of);
    }
  }
}

/** Does work that needs no store, in steps, so that other calls are served in between. */
export async function inTurns<T>(work: Steps<T>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await others();
  }
}

const tooLong = (isGivenUp: boolean) =>
  isGivenUp
    ? storeUnavailable('the call was cancelled before it was answered; call again')
    : argumentInvalid(
        `the answer would take longer than ${maxMilliseconds / 1000} s; ask for less: one execution_id, or a shorter period from start_time to end_time`,
      );
