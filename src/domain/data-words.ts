import { counted } from '../lib/counted.ts';

interface Audited {
  verdict: 'balanced' | 'open' | 'broken';
  status: string;
  /** Slices that failed permanently; undefined where STF files are processed whole. */
  slices_failed?: number | undefined;
}

/**
 * Says in a few words whether an execution's data is complete. Records may be complete even if nothing
 * succeeded.
 */
export function dataWords({ verdict, status, slices_failed = 0 }: Audited) {
  const records = {
    balanced: 'records complete',
    open:
      status === 'running'
        ? 'not complete yet'
        : status === 'completed' || status === 'unknown'
          ? 'not known to be complete'
          : 'incomplete',
    broken: 'records broken',
  }[verdict];
  return slices_failed === 0 ? records : `${records}, ${counted(slices_failed, 'slice')} not processed`;
}

/** Slices that failed permanently: they have a result, but their data is missing. Empty if there are none. */
export const notProcessed = (failed: number) =>
  failed === 0
    ? ''
    : `${counted(failed, 'slice')} failed permanently: ${failed === 1 ? 'its' : 'their'} data is not processed`;
