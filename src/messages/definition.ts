import * as z from 'zod';

import type { DestinationName } from './destinations.ts';

/**
 * The role of a message type in a log. `frequent`: many messages, one or more per file or slice. `landmark`: the few messages that tell the story of
 * an execution. `command`: a landmark that waits for its driver. `logbook`: a person's statement or an alarm.
 */
export type Trait = 'frequent' | 'landmark' | 'command' | 'logbook';

/**
 * - `content`: the fields that make the statement. Two messages with the same id must agree in them.
 * - `extra`: fields that may differ between two reports of the same thing.
 * - `key`: the part of the message's id after `{execution_id}/{msg_type}`; for a logbook entry, the whole id.
 *
 * Fields are functions: a server that only reads the store calls none, and so starts sooner.
 */
interface Definition<Content extends z.ZodRawShape, Extra extends z.ZodRawShape> {
  destination: DestinationName;
  trait: Trait;
  content: () => Content;
  fields: () => z.ZodObject<Content & Extra>;
  key: (message: z.infer<z.ZodObject<Content & Extra>>) => string;
}

/** Defines a message type: its destination, its role in a log, its fields, and its key. */
export const define = <Content extends z.ZodRawShape, Extra extends z.ZodRawShape = {}>(
  [destination, trait]: readonly [DestinationName, Trait],
  content: () => Content,
  key: NoInfer<Definition<Content, Extra>['key']>,
  extra: () => Extra = () => ({}) as Extra,
): Definition<Content, Extra> => ({
  destination,
  trait,
  content,
  key,
  fields: () => z.object({ ...content(), ...extra() }) as z.ZodObject<Content & Extra>,
});
