/**
 * The phase of a run in words that cannot be taken for the state of the whole execution: phase `completed` only says that the DAQ is done. Of
 * an execution that has ended nothing is said.
 */
export function phaseWords({ phase, status }: { phase: string; status: string }): string {
  if (status !== 'running') return '';
  return phase === 'completed' ? 'the DAQ is done' : `phase ${phase}`;
}
