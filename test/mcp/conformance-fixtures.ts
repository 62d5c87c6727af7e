import { setTimeout as delay } from 'node:timers/promises';

import type { McpRequest, McpServer } from '../../src/mcp/mcp-server.ts';

/** A picture of one pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const silence = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';
const text = (words: string) => ({ type: 'text' as const, text: words });
const image = { type: 'image' as const, data: pixel, mimeType: 'image/png' };
const embedded = (uri: string, mimeType: string, words: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: words },
});

const contents: Record<string, object[]> = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [image],
  test_audio_content: [{ type: 'audio', data: silence, mimeType: 'audio/wav' }],
  test_embedded_resource: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  test_multiple_content_types: [
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ],
};

const resources: Record<string, object> = {
  'test://static-text': {
    uri: 'test://static-text',
    mimeType: 'text/plain',
    text: 'This is the content of the static text resource.',
  },
  'test://static-binary': { uri: 'test://static-binary', mimeType: 'image/png', blob: pixel },
  'test://template/123/data': {
    uri: 'test://template/123/data',
    mimeType: 'application/json',
    text: '{"id":"123","templateTest":true,"data":"Data for ID: 123"}',
  },
};

const user = (content: object) => ({ role: 'user', content });

const prompts: Record<string, (args: Record<string, string>) => object[]> = {
  test_simple_prompt: () => [user(text('This is a simple prompt for testing.'))],
  test_prompt_with_arguments: ({ arg1, arg2 }) => [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  test_prompt_with_embedded_resource: ({ resourceUri = '' }) => [
    user(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
    user(text('Please process the embedded resource above.')),
  ],
  test_prompt_with_image: () => [user(image), user(text('Please analyze the image above.'))],
};

const tools: Record<string, (request: McpRequest) => Promise<object>> = {
  async test_tool_with_logging({ notify }) {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await notify('notifications/message', { level: 'info', data });
      await delay(50);
    }
    return { content: [text('logged')] };
  },
  async test_tool_with_progress({ progressToken, notify }) {
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) await notify('notifications/progress', { progressToken, progress, total: 100 });
      await delay(50);
    }
    return { content: [text('progressed')] };
  },
  test_error_handling: () =>
    Promise.resolve({ isError: true, content: [text('This tool intentionally returns an error for testing')] }),
};

interface Params {
  name: string;
  uri: string;
  arguments?: Record<string, string>;
}

/** The answer to a request for something of the suite; undefined for others. */
function answerOf(method: string, { name, uri, arguments: args = {} }: Params, request: McpRequest): unknown {
  switch (method) {
    case 'tools/call':
      return contents[name] === undefined ? tools[name]?.(request) : { content: contents[name] };
    case 'resources/read':
      return resources[uri] && { contents: [resources[uri]] };
    case 'prompts/get':
      return prompts[name] && { messages: prompts[name](args) };
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return {};
    default:
      return undefined;
  }
}

/** Our server, which also answers what the conformance suite asks of every server: its own tools, resources and prompts. */
export const withFixtures = (server: McpServer): McpServer => ({
  ...server,
  capabilities: { ...server.capabilities, logging: {}, resources: { subscribe: true } },
  answer: async (method, params, request) =>
    ((await answerOf(method, (params ?? {}) as Params, request)) ??
      (await server.answer(method, params, request))) as Record<string, unknown>,
});
