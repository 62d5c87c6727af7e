import { Option } from 'commander';
import * as z from 'zod';

import { findTool, tools } from '../../tools/index.ts';
import { flagOf, helpInFlags } from '../shared/flag-words.ts';
import { asOfOption } from '../shared/options.ts';
import { commandsByTool } from './catalogue.ts';

/** Arguments that the table command sets itself, so no flags are made from them. */
const ownArguments: readonly string[] = ['cursor', 'limit'];

/**
 * The arguments of a tool as flags, with the tool's own descriptions, reworded for flags: a person can ask
 * whatever an assistant can.
 */
export function filterOptions(toolName: string) {
  const words = { flags: flagsOfTool(toolName), commands: commandsByTool };
  return filtersOf(toolName).map(([argument, schema]) => {
    if (argument === 'as_of') return asOfOption();
    const kind = innermost(schema);
    const about = helpInFlags(schema.description ?? '', words);
    if (kind instanceof z.ZodBoolean)
      return new Option(`${flagOf(argument)} <true|false>`, about).choices(['true', 'false']);
    if (kind instanceof z.ZodEnum) return new Option(`${flagOf(argument)} <${kind.options.join('|')}>`, about);
    const value = kind instanceof z.ZodNumber ? 'N' : 'TEXT';
    return new Option(`${flagOf(argument)} <${argument === 'execution_id' ? 'EXECUTION_ID' : value}>`, about);
  });
}

const filtersOf = (toolName: string) =>
  Object.entries(findTool(tools, toolName).input.shape as Record<string, z.ZodType>).filter(
    ([argument]) => !ownArguments.includes(argument),
  );

export const flagsOfTool = (toolName: string) =>
  new Map(Object.keys(findTool(tools, toolName).input.shape).map((argument) => [argument, flagOf(argument)]));

/** The schema without its wrappers. */
function innermost(schema: z.ZodType) {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return innermost(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) return innermost(schema.out as z.ZodType);
  return schema;
}

/** The given flags as arguments of the tool. */
export function argumentsOf(toolName: string, flags: Readonly<Record<string, unknown>>) {
  const camelCase = (argument: string) => argument.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(
    filtersOf(toolName).flatMap(([argument, schema]) => {
      const value = flags[camelCase(argument)];
      const isBoolean = innermost(schema) instanceof z.ZodBoolean;
      return value === undefined ? [] : [[argument, isBoolean ? value === 'true' : value]];
    }),
  );
}

/** The fields of the rows in a tool's answer. */
export function fieldsOf(toolName: string, list: string) {
  const { [list]: rows } = findTool(tools, toolName).output.shape as Record<string, z.ZodArray<z.ZodObject>>;
  return Object.keys(rows?.element.shape ?? {});
}
