import type { Message } from '../../messages/message.ts';

/** The columns that a body can fill. */
export interface EnvelopeColumns {
  message_type: string;
  sender?: string | undefined;
  namespace?: string | undefined;
  execution_id?: string | undefined;
  run_id?: string | undefined;
  timestamp?: string | undefined;
  simulation_tick?: number | undefined;
  /** The id that came with a message. It is stored but not trusted. */
  wireId?: string | undefined;
}

export function envelopeOf(message: Message): EnvelopeColumns {
  const { msg_type, message_id, sender, namespace, execution_id, run_id, timestamp, simulation_tick } = message;
  return {
    message_type: msg_type,
    sender,
    namespace,
    execution_id,
    run_id,
    timestamp,
    simulation_tick,
    wireId: message_id,
  };
}

/** The usable envelope fields of a body that is not a message of the vocabulary. */
export function usableEnvelope(body: Record<string, unknown>, fallbackType: string): EnvelopeColumns {
  const text = (key: string): string | undefined => {
    const value = body[key];
    return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
  };
  return {
    message_type: (text('msg_type') ?? fallbackType).slice(0, 50),
    sender: text('sender'),
    namespace: text('namespace'),
    execution_id: text('execution_id'),
    run_id: text('run_id'),
    timestamp: text('timestamp'),
    wireId: text('message_id'),
  };
}
