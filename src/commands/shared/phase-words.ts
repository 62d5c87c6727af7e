/**
 * The phase of a run in words that cannot be mistaken for the state of the whole execution: phase `completed`
 * only says that the DAQ is done. Empty for an ended execution.
 */
export function phaseWords({ phase, status }: { phase: string; status: string }) {
  if (status !== 'running') return '';
  return phase === 'completed' ? 'the DAQ is done' : `phase ${phase}`;
}
