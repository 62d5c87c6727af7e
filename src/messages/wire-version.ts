/**
 * The version of the telemetry messages. Workers of 1 take slices of every program in the namespace; those of 2 take slices of recorders alone, and know a
 * payload by its content.
 */
export const wireVersion = 2;

/** Whether a worker is of a build that this one does not work with. */
export const isRefused = ({ agent_type, wire }: { agent_type: string; wire: number }): boolean =>
  agent_type === 'worker' && wire < wireVersion;
