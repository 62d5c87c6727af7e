import * as z from 'zod';

import { findTool, everyTool } from '../../tools/index.ts';
import type { Tool } from '../../tools/shared/tool.ts';
import type { Io } from '../shared/io.ts';
import { type ShownColumn, tableLines } from '../shared/layout.ts';

/** An argument's JSON schema. */
interface Argument {
  type?: string;
  enum?: string[];
  description?: string;
}

/**
 * `swf-mcp tools [TOOL]`: lists the tools for `call` and MCP clients, or prints one tool's description and
 * arguments.
 */
export function toolsCommand(io: Io, { tool: name }: { tool?: string }) {
  const width = io.terminal('out')?.columns();
  if (name === undefined) {
    const columns: ShownColumn<Tool>[] = [
      { head: 'TOOL', of: 'name' },
      { head: 'DOES', least: 20, of: 'title' },
    ];
    return io.out(`${tableLines(columns, everyTool, width).join('\n')}\n`);
  }
  const tool = findTool(everyTool, name);
  const { properties = {}, required = [] } = z.toJSONSchema(tool.input, { io: 'input' }) as {
    properties?: Record<string, Argument>;
    required?: string[];
  };
  const columns: ShownColumn<[name: string, schema: Argument]>[] = [
    { head: 'ARGUMENT', of: ([argument]) => `${argument}${required.includes(argument) ? ' (required)' : ''}` },
    { head: 'KIND', least: 8, of: ([, schema]) => schema.enum?.join('|') ?? schema.type },
    { head: 'MEANING', least: 30, of: ([, schema]) => schema.description },
  ];
  const lines = tableLines(columns, Object.entries(properties), width);
  io.out(`${tool.name}: ${tool.description}\n\n${lines.join('\n')}\n`);
}
