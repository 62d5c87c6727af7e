import * as z from 'zod';

import { type Envelope, envelopeShape } from './fields.ts';
import { type MessageType, messageTypes, type Vocabulary, vocabulary } from './vocabulary.ts';

type Fields<T extends MessageType> = z.infer<ReturnType<Vocabulary[T]['fields']>>;

/** A message of one type without its envelope, as an agent makes it. */
export type Draft<T extends MessageType = MessageType> = { [K in T]: { msg_type: K } & Fields<K> }[T];

export type Message<T extends MessageType = MessageType> = { [K in T]: Draft<K> & Envelope }[T];

/** The whole vocabulary as one schema. */
export const messageSchema = z.discriminatedUnion(
  'msg_type',
  messageTypes.map((type) =>
    z.looseObject({ msg_type: z.literal(type), ...envelopeShape, ...vocabulary[type].fields().shape }),
  ) as unknown as [z.core.$ZodTypeDiscriminable],
) as unknown as z.ZodType<Message>;
