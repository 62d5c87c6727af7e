/** The phases of a run and the only transitions between them (docs/messages.md, "Rules"). */
export const phases = ['none', 'imminent', 'physics', 'standby', 'completed'] as const;

export type Phase = (typeof phases)[number];

export type PhaseMessage = 'run_imminent' | 'start_run' | 'pause_run' | 'resume_run' | 'end_run';

const steps: Record<Phase, Partial<Record<PhaseMessage, Phase>>> = {
  none: { run_imminent: 'imminent' },
  imminent: { start_run: 'physics' },
  physics: { pause_run: 'standby', end_run: 'completed' },
  standby: { resume_run: 'physics' },
  completed: {},
};

/** A run may end in these phases only if it is stopped or fails. */
const earlyEnds: ReadonlySet<Phase> = new Set(['imminent', 'standby']);

/** The phase after `message`, or undefined if `message` causes no transition. */
export function nextPhase(phase: Phase, message: PhaseMessage, endReason?: string): Phase | undefined {
  if (message === 'end_run' && earlyEnds.has(phase) && endReason !== 'completed') return 'completed';
  return steps[phase][message];
}

export const workersMayTake = (phase: Phase) => phase !== 'standby';
