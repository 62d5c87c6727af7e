/** Periods in which nothing was received, the driver wrote nothing, or there was no driver. They overlap phases. */
type Hole = 'unheard' | 'unwritten' | 'undriven';

/**
 * A phase of an execution in a picture: `paused` by an operator, `standby` between two physics periods,
 * `draining` after the DAQ's end, `after` the end of the execution.
 */
export interface PhaseBand {
  phase: 'before' | 'imminent' | 'physics' | 'standby' | 'paused' | 'draining' | 'after' | Hole;
  /** In milliseconds since 1970; `end` is undefined during the phase. */
  start: number;
  end: number | undefined;
  /** The operator who paused the execution. */
  by?: string | undefined;
}

/** A message that changes the phase. */
export interface PhaseChange {
  type: string;
  /** In milliseconds since 1970. */
  at: number;
  /** For a pause: `period` or `operator`. */
  reason: string | undefined;
  /** For an operator's command: the name of the operator. */
  by: string | undefined;
}

const next: Readonly<Record<string, PhaseBand['phase']>> = {
  run_imminent: 'imminent',
  start_run: 'physics',
  resume_run: 'physics',
  end_run: 'draining',
  workflow_ended: 'after',
};

/** When work can begin: at the first beam, or at the start of the execution if there has been no beam yet. */
export const beginOfWork = (start: number, phases: readonly PhaseBand[]) =>
  phases.find(({ phase }) => phase === 'physics')?.start ?? start;

/**
 * The phases of an execution in order.
 * @param start the start of the execution
 * @param changes the phase changes in order
 */
export function phasesOf(start: number, changes: readonly PhaseChange[]) {
  const bands: PhaseBand[] = [{ phase: 'before', start, end: undefined }];
  let operator: string | undefined;
  for (const { type, at, reason, by } of changes) {
    if (type === 'pause_workflow') operator = by;
    const phase = type === 'pause_run' ? (reason === 'operator' ? 'paused' : 'standby') : next[type];
    const last = bands.at(-1) as PhaseBand;
    if (phase === undefined || phase === last.phase) continue;
    last.end = Math.max(last.start, at);
    bands.push({ phase, start: last.end, end: undefined, ...(phase === 'paused' ? { by: operator } : {}) });
  }
  return bands.filter(({ start: from, end }) => end === undefined || end > from);
}
