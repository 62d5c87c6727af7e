import type * as z from 'zod';

import { issueWords } from '../../domain/issue-words.ts';
import { openSectionOf, openSections } from '../../domain/params.ts';
import { argumentInvalid } from '../../lib/errors.ts';

/**
 * The parameters of a run that were given, each with the section of the configuration that has it. Throws `ARGUMENT_INVALID` for a value that the
 * configuration would refuse.
 */
export const givenParameters = (given: Readonly<Record<string, number | undefined>>) =>
  Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const section = openSectionOf(name);
    if (section === undefined) throw new Error(`no section has ${name}`);
    const schema = (openSections[section].shape as Record<string, z.ZodType>)[name] as z.ZodType;
    const { error } = schema.safeParse(value);
    if (error === undefined) return [{ section, name, value }];
    throw argumentInvalid(`${name} = ${value}: ${issueWords(error.issues[0] as z.core.$ZodIssue, value)}`);
  });
