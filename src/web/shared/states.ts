import type { ExecutionRow, Monitor } from './answers.ts';
import { count, inZone } from './format.ts';

export interface StateProps {
  status: string;
  /** Shown instead of the status `unknown`. */
  status_reason?: string | undefined;
  health?: string | undefined;
  /** Whether it runs without a driver. */
  isSilent?: boolean;
  /** How many slices failed; of an ended execution, those that failed permanently. */
  failed: number;
  isExhausted?: boolean;
}

/** Of slices that are not retried, and of those that may be. */
export const failedWords = (isExhausted: boolean) => (isExhausted ? 'failed for good' : 'failed');

/** The mark of an execution's state, and its words. With failed slices the mark is never a calm one. */
export function stateOf(props: StateProps): { state: string; words: string } {
  const { status, status_reason: reason, health, isSilent, failed, isExhausted = status !== 'running' } = props;
  // PanDA may still be working on the files of a run that has ended, or be stuck.
  const isUnderWay = status === 'running' || health === 'draining' || health === 'stalled';
  const state = isSilent ? 'lost' : isUnderWay ? (health ?? status) : status;
  const words = isSilent ? 'running, no driver' : status === 'unknown' && reason ? inZone(reason) : state;
  if (failed === 0) return { state, words };
  return {
    state: isSilent ? state : 'failed',
    words: `${words}, ${count(failed)} ${failedWords(isExhausted)}`,
  };
}

/** What is shown instead of findings: without a health value, their absence proves nothing. */
export const noFindingWords = ({ health }: Pick<Monitor, 'health'>): string =>
  health === undefined ? 'Whether anything is wrong is not known' : 'Nothing is wrong';

/** When the lost driver of a running execution was last heard from; undefined if the driver is not lost. */
export const silentSinceOf = ({ status, drivers }: Monitor) =>
  status === 'running' ? (drivers?.at(-1)?.until ?? drivers?.at(-1)?.last_heard) : undefined;

/** The state of an execution on a wall. No reassuring word is shown beside an error. */
export function wallState(monitor: Monitor): { state: string; words: string } {
  const { status, health, findings } = monitor;
  const worst = findings[0]?.severity;
  const { state, words } = stateOf({ ...monitor, isSilent: silentSinceOf(monitor) !== undefined, failed: 0 });
  const isOver = status !== 'running' && (status !== 'completed' || health === 'finished');
  const isCalm = !isOver && health !== 'stalled' && health !== 'paused' && state !== 'lost';
  if (worst === 'error')
    return {
      state: state === 'lost' ? state : 'error',
      words: state === 'completed' ? 'ended with an error' : isCalm ? 'error' : words,
    };
  return { state: worst === 'warning' && isCalm ? 'warning' : state, words };
}

/** Orders of rows other than by time, largest first. */
export const orders: Readonly<Record<string, (row: ExecutionRow) => number>> = {
  took: ({ duration_seconds = 0 }) => duration_seconds,
  failed: ({ slices_failed = 0, stf_failed = 0 }) => slices_failed + stf_failed,
  slices: ({ slices_created = 0 }) => slices_created,
  STFs: ({ stf_count }) => stf_count,
};

/** Rows in the order chosen by the user: by default running ones first, then the newest start. */
export function inOrder(rows: readonly ExecutionRow[], sort: string): ExecutionRow[] {
  const order = orders[sort];
  if (order !== undefined) return rows.toSorted((a, b) => order(b) - order(a));
  const isOver = ({ status }: ExecutionRow) => Number(status !== 'running');
  // A store lists them as recorded, and one that was observed may have been recorded later than it ran.
  return rows.toSorted((a, b) => isOver(a) - isOver(b) || Date.parse(b.start_time) - Date.parse(a.start_time));
}
