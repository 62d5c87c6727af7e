import * as z from 'zod';

import type { DestinationName } from './destinations.ts';

/**
 * How a message type stands in a log. There are many `frequent` messages, one or more for each file or slice. The few `landmark`
 * messages tell the story of an execution. A `command` is a landmark that waits for its driver. A `logbook` entry is a word of a person or an alarm.
 */
export type Trait = 'frequent' | 'landmark' | 'command' | 'logbook';

/**
 * - `content`: the fields that say something. Two messages of one id must agree in them.
 * - `extra`: fields that may differ between two tellings of the same thing.
 * - `key`: the part of the message's id behind `{execution_id}/{msg_type}`; of a logbook entry the whole id.
 *
 * Fields are functions: a server that only reads the store asks for none, and starts sooner without them.
 */
interface Definition<Content extends z.ZodRawShape, Extra extends z.ZodRawShape> {
  destination: DestinationName;
  trait: Trait;
  content: () => Content;
  fields: () => z.ZodObject<Content & Extra>;
  key: (message: z.infer<z.ZodObject<Content & Extra>>) => string;
}

/** Defines a message type: where it goes and how it stands in a log, its fields, and its key. */
export function define<Content extends z.ZodRawShape, Extra extends z.ZodRawShape>(
  [destination, trait]: readonly [DestinationName, Trait],
  content: () => Content,
  extra: () => Extra,
  key: Definition<Content, Extra>['key'],
): Definition<Content, Extra> {
  return {
    destination,
    trait,
    content,
    key,
    fields: () => z.object({ ...content(), ...extra() }) as z.ZodObject<Content & Extra>,
  };
}
