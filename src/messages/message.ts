import * as z from 'zod';

import { type Envelope, envelopeShape } from './fields.ts';
import { type MessageType, type Vocabulary, vocabulary } from './vocabulary.ts';

type Fields<T extends MessageType> = z.infer<ReturnType<Vocabulary[T]['fields']>>;

/** A message of one type without its envelope, as an agent makes it. */
export type Draft<T extends MessageType = MessageType> = { [K in T]: { msg_type: K } & Fields<K> }[T];

export type Message<T extends MessageType = MessageType> = { [K in T]: Draft<K> & Envelope }[T];

const made = new Map<MessageType, z.ZodType<Message>>();

/** The schema of a message type. Made on first use, since a process needs few types when it starts. */
export function schemaOf(type: MessageType): z.ZodType<Message> {
  const schema =
    made.get(type) ??
    (z.looseObject({
      msg_type: z.literal(type),
      ...envelopeShape,
      ...vocabulary[type].fields().shape,
    }) as unknown as z.ZodType<Message>);
  made.set(type, schema);
  return schema;
}
