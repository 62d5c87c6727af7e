/** The version of the telemetry messages. From 2 on, workers take only slices of recorders, and know a payload by its content. */
export const wireVersion = 2;

/** Whether a worker's build does not work with this one. */
export const isRefused = ({ agent_type, wire }: { agent_type: string; wire: number }): boolean =>
  agent_type === 'worker' && wire < wireVersion;
