import type { Monitor } from './answers.ts';
import { count, inZone } from './format.ts';

export interface StateProps {
  status: string;
  /** Shown instead of the status `unknown`. */
  status_reason?: string | undefined;
  health?: string | undefined;
  /** Whether the execution is running without a driver. */
  isSilent?: boolean;
  /** How many slices failed; for an ended execution, those that failed permanently. */
  failed: number;
  isExhausted?: boolean;
  slices_created?: number | undefined;
  slices_completed?: number | undefined;
}

/** The word for failed slices, depending on whether they may still be retried. */
export const failedWords = (isExhausted: boolean) => (isExhausted ? 'failed for good' : 'failed');

/** The mark and the words for an execution's state. If slices have failed or have no result, the mark is never reassuring. */
export function stateOf(props: StateProps) {
  const { status, status_reason: reason, health, isSilent, failed, isExhausted = status !== 'running' } = props;
  // PanDA may still be working on the files of a run that has ended, or be stuck.
  const isUnderWay = status === 'running' || health === 'draining' || health === 'stalled';
  const state = isSilent ? 'lost' : isUnderWay ? (health ?? status) : status;
  const words = isSilent ? 'running, no driver' : status === 'unknown' && reason ? inZone(reason) : state;
  if (failed > 0)
    return { state: isSilent ? state : 'failed', words: `${words}, ${count(failed)} ${failedWords(isExhausted)}` };
  // Not a number if the slices are not counted.
  const undone = Number(props.slices_created) - Number(props.slices_completed);
  if (state === 'completed' && undone > 0) return { state: 'warning', words: `${words}, ${count(undone)} unfinished` };
  return { state, words };
}

/** The words shown if there are no findings. If the health is unknown, something may still be wrong. */
export const noFindingWords = ({ health }: Pick<Monitor, 'health'>) =>
  health === undefined ? 'Its health is not known' : 'Nothing is wrong';

/** When the lost driver of a running execution was last heard from; undefined if the driver is not lost. */
export const silentSinceOf = ({ status, drivers }: Monitor) =>
  status === 'running' ? (drivers?.at(-1)?.until ?? drivers?.at(-1)?.last_heard) : undefined;

/** The state of an execution as shown on a wall display. No reassuring word is shown next to an error. */
export function wallState(monitor: Monitor) {
  const { status, health, findings } = monitor;
  const worst = findings[0]?.severity;
  const { state, words } = stateOf({
    ...monitor,
    isSilent: silentSinceOf(monitor) !== undefined,
    failed: 0,
    // A finding says how many slices are unfinished.
    slices_created: undefined,
  });
  const isOver = status !== 'running' && (status !== 'completed' || health === 'finished');
  const isCalm = !isOver && health !== 'stalled' && health !== 'paused' && state !== 'lost';
  if (worst === 'error')
    return {
      state: state === 'lost' ? state : 'error',
      words: state === 'completed' ? 'ended with an error' : isCalm ? 'error' : words,
    };
  return { state: worst === 'warning' && isCalm ? 'warning' : state, words };
}
