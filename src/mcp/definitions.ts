import * as z from 'zod';

import { onceFor } from '../lib/once-for.ts';
import type { Tool } from '../tools/shared/tool.ts';

type Schema = Record<string, unknown>;

/**
 * A tool as clients see it. Every word stays in an assistant's context for the whole conversation, so
 * definitions are short: for an answer, they contain only the fields and their types, since the answer itself
 * shows the rest. Answers are checked against the whole schema before they are sent.
 */
export const definitionOf = (tool: Tool) => ({
  name: tool.name,
  title: tool.title,
  description: tool.description,
  inputSchema: inputSchema(tool.input),
  outputSchema: outputSchema(tool.output),
  annotations: {
    readOnlyHint: tool.writes === undefined,
    destructiveHint: tool.writes?.destructive ?? false,
    idempotentHint: tool.writes?.idempotent ?? true,
    openWorldHint: false,
  },
  ...(tool.hasPage === true ? { _meta: pageOfTool } : {}),
});

/** Left out: limits that no client would normally come near; a value beyond them is refused with an explanation. */
const unsaid: ReadonlySet<string> = new Set(['minLength', 'maxLength']);

function inputSchema(schema: z.ZodObject) {
  // Some models reject a whole server because of additionalProperties, and the server's own error about an
  // unknown argument is better anyway. Some clients reject a tool whose $schema they do not know; without a
  // $schema they use their own dialect.
  const { properties = {}, additionalProperties: _, $schema: __, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return {
    ...rest,
    properties: Object.fromEntries(
      Object.entries(properties as Record<string, Schema>).map(([name, property]) => [name, brief(property)]),
    ),
  };
}

const brief = (property: Schema) =>
  Object.fromEntries(
    Object.entries(property).filter(
      ([key, value]) =>
        !unsaid.has(key) &&
        !(key === 'maximum' && (value as number) >= Number.MAX_SAFE_INTEGER) &&
        !(key === 'minimum' && (value as number) <= 1),
    ),
  );

/** Fields that occur in every answer about a store, or in every list. The server's instructions explain them once. */
export const ofEveryAnswer: readonly string[] = [
  'data_as_of',
  'as_of',
  'as_of_exact',
  'note',
  'total_count',
  'total_is_lower_bound',
  'has_more',
  'next_cursor',
];

function outputSchema(schema: z.ZodObject) {
  const { properties = {} } = z.toJSONSchema(schema);
  const kinds = Object.entries(properties as Record<string, Schema>)
    .filter(([name]) => !ofEveryAnswer.includes(name))
    .map(([name, property]) => [name, plain.has(name) ? { type: property['type'] } : kindOf(property)]);
  return { type: 'object', properties: Object.fromEntries(kinds) };
}

/** Fields that occur in several answers, and whose items need no explanation. */
const plain: ReadonlySet<string> = new Set(['latency', 'sites', 'stages']);

/** The type of a field; for a list, also the names of its items' fields. */
function kindOf({ type, items }: Schema) {
  const fields = Object.keys(((items as Schema | undefined)?.['properties'] as Schema | undefined) ?? {});
  return fields.length === 0 ? { type } : { type, description: fields.join(' ') };
}

/** Made once, on demand, since over HTTP every request has its own server. */
export const definitionsOf = onceFor((tools: readonly Tool[]) => tools.map(definitionOf));

/** The page's URI, for a chat that shows it beside the answers (MCP Apps, revision 2026-01-26). */
const uri = 'ui://swf/monitor';
const mimeType = 'text/html;profile=mcp-app';

/** The capability, declared at initialization, that announces the server's pages. */
export const pageExtension = { 'io.modelcontextprotocol/ui': {} };

/** The entry in `resources/list`. */
export const monitorPage = {
  uri,
  name: 'Monitor of an execution',
  description: 'An interactive view of an execution, for clients that support MCP Apps',
  mimeType,
};

/**
 * The part of a tool's definition that says that the page can show the tool's answer; older clients read the
 * second key.
 */
const pageOfTool = { ui: { resourceUri: uri }, 'ui/resourceUri': uri };

/** The answer to `resources/read`: the page loads nothing from elsewhere and draws its own border. */
export const monitorPageContents = (text: string) => ({ uri, mimeType, text, _meta: { ui: { prefersBorder: false } } });
