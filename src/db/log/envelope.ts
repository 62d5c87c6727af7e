/** The columns that a body can fill, by the names of its fields. */
export interface EnvelopeColumns {
  msg_type: string;
  sender?: string | undefined;
  namespace?: string | undefined;
  execution_id?: string | undefined;
  run_id?: string | undefined;
  timestamp?: string | undefined;
  simulation_tick?: number | undefined;
  /** The id that came with a message. It is stored but not trusted. */
  message_id?: string | undefined;
}

/** The usable envelope fields of a body that is not a message of the vocabulary. */
export function usableEnvelope(body: Record<string, unknown>, fallbackType: string): EnvelopeColumns {
  const text = (key: string): string | undefined => {
    const value = body[key];
    return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
  };
  return {
    msg_type: (text('msg_type') ?? fallbackType).slice(0, 50),
    sender: text('sender'),
    namespace: text('namespace'),
    execution_id: text('execution_id'),
    run_id: text('run_id'),
    timestamp: text('timestamp'),
    message_id: text('message_id'),
  };
}
