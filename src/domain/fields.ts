import * as z from 'zod';

/** The kinds of fields in answers. Schemas are immutable, so all fields of a kind share one. */
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
 * Options for checking a few values. Without them, Zod compiles each schema on first use, which costs 16 ms
 * before the first answer and saves only a few tenths of a millisecond on each later answer.
 */
export const uncompiled = { jitless: true } as const;

export const oneOf = z.enum;
export const optionalOneOf = <const Words extends readonly string[]>(words: Words) => oneOf(words).optional();

/** An object with these fields and no others. */
export const object = z.strictObject;

export const objects = <Shape extends z.ZodRawShape>(shape: Shape) => z.array(object(shape));
