import { messageOf, SwfError } from '../../lib/errors.ts';

/** The result of one check: all is well, or what to do. */
export interface Diagnosis {
  state: 'ok' | 'warn' | 'fail';
  what: string;
}

export type Look = [subject: string, Diagnosis];

export const ok = (what: string): Diagnosis => ({ state: 'ok', what });
export const warn = (what: string): Diagnosis => ({ state: 'warn', what });
export const fail = (what: string): Diagnosis => ({ state: 'fail', what });

/**
 * Runs one check. An error that the user can fix becomes the diagnosis, word for word; any other error is a bug
 * and is thrown.
 */
export async function attempt(look: () => Promise<Diagnosis> | Diagnosis): Promise<Diagnosis> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof SwfError) return fail(error.line);
    if (error instanceof Error && 'code' in error) return fail(messageOf(error));
    throw error;
  }
}

/** A clock that is off by more than this makes expiry times and delays between hosts wrong. */
const worstSkewMilliseconds = 2000;

/** @param skew milliseconds by which the broker's clock is ahead of ours; undefined if unknown */
export function diagnoseClock(skew: number | undefined): Diagnosis {
  if (skew === undefined) return ok("unknown: no message carried the broker's time");
  if (Math.abs(skew) <= worstSkewMilliseconds)
    return ok(`within ${Math.max(1, Math.ceil(Math.abs(skew) / 1000))} s of the broker's`);
  return warn(`the broker's clock differs from this host's by ${(skew / 1000).toFixed(1)} s; synchronize both (NTP)`);
}
