import type { Envelope } from '../../messages/fields.ts';

/** The columns that a body can fill, by the names of its fields. The id that came with a message is stored but not trusted. */
export type EnvelopeColumns = { msg_type: string } & { [Field in keyof Envelope]?: Envelope[Field] | undefined };

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
