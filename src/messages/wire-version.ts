/**
 * The version of the telemetry messages. Workers of version 1 take slices of every program in the namespace; workers of version 2 take only
 * recorders' slices, and know a payload by its content.
 */
export const wireVersion = 2;

/** Whether a worker's build does not work with this one. */
export const isRefused = ({ agent_type, wire }: { agent_type: string; wire: number }): boolean =>
  agent_type === 'worker' && wire < wireVersion;
