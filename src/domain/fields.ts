import * as z from 'zod';

/** The kinds of fields that answers have. A schema is never changed, so the fields of a kind share one. */
export const string = z.string();
export const optionalString = string.optional();
export const strings = z.array(string);
export const int = z.int();
export const optionalInt = int.optional();
export const ints = z.array(int);
export const float = z.number();
export const optionalFloat = float.optional();
export const boolean = z.boolean();
export const optionalBoolean = boolean.optional();
/** A fact that is either true or absent. */
export const optionalTrue = z.literal(true).optional();

/**
 * How to check a few values. Zod would compile each schema on first use: 16 ms before a first answer, to save
 * a few tenths of one on each later one.
 */
export const uncompiled = { jitless: true } as const;

/** One of some words. */
export const oneOf = z.enum;
export const optionalOneOf = <const Words extends readonly string[]>(words: Words) => oneOf(words).optional();

/** An object of these fields and no others. */
export const object = z.strictObject;

/** An array of such objects. */
export const objects = <Shape extends z.ZodRawShape>(shape: Shape) => z.array(object(shape));
