import * as z from 'zod';

/** A note of a person. */
export const personsNote = () =>
  z.strictObject({
    text: z.string(),
    author: z.string(),
    at: z.string(),
    about: z.string().optional(),
    for_next: z.boolean().optional(),
  });
