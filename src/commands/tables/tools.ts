import * as z from 'zod';

import { findTool, everyTool } from '../../tools/index.ts';
import type { Io } from '../shared/io.ts';
import { tableLines } from './layout.ts';

/**
 * `swf-mcp tools [TOOL]`: the tools that `call` and MCP clients call; for one tool, what it does and takes.
 */
export function toolsCommand(io: Io, name: string | undefined): void {
  const width = io.terminal('out')?.columns();
  if (name === undefined) {
    const rows = everyTool.map((tool) => [tool.name, tool.title]);
    return io.out(`${tableLines([{ head: 'TOOL' }, { head: 'DOES', least: 20 }], rows, width).join('\n')}\n`);
  }
  const tool = findTool(everyTool, name);
  const { properties = {}, required = [] } = z.toJSONSchema(tool.input, { io: 'input' }) as {
    properties?: Record<string, { type?: string; enum?: string[]; description?: string }>;
    required?: string[];
  };
  const rows = Object.entries(properties).map(([argument, schema]) => [
    `${argument}${required.includes(argument) ? ' (required)' : ''}`,
    schema.enum === undefined ? (schema.type ?? '') : schema.enum.join('|'),
    schema.description ?? '',
  ]);
  const columns = [{ head: 'ARGUMENT' }, { head: 'KIND', least: 8 }, { head: 'MEANING', least: 30 }];
  io.out(`${tool.name}: ${tool.description}\n\n${tableLines(columns, rows, width).join('\n')}\n`);
}
