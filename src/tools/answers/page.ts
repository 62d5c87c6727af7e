import * as z from 'zod';

/** One page of a list: its items, and how to go on. */
export const pageAnswer = <Item extends z.ZodObject>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    total_count: z.int().describe('All rows that fit, on whatever page'),
    total_is_lower_bound: z
      .literal(true)
      .optional()
      .describe('There may be more than total_count: counting all would take long'),
    has_more: z.boolean(),
    next_cursor: z.string().optional(),
    data_as_of: z.string().optional().describe('When the store was last written'),
    note: z.string().optional().describe('Why a page is short or empty'),
  });

export type Page<Item> = Omit<z.infer<ReturnType<typeof pageAnswer<z.ZodObject>>>, 'items'> & { items: Item[] };
