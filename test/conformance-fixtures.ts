import { setTimeout as delay } from 'node:timers/promises';

import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  GetPromptRequestSchema,
  type GetPromptResult,
  ReadResourceRequestSchema,
  type ReadResourceResult,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** A picture of one pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const silence = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';
const text = (words: string) => ({ type: 'text' as const, text: words });
const image = { type: 'image' as const, data: pixel, mimeType: 'image/png' };
const embedded = (uri: string, mimeType: string, words: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: words },
});

const contents: Record<string, CallToolResult['content']> = {
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

const resources: Record<string, ReadResourceResult['contents'][number]> = {
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

function promptMessages(name: string, args: Record<string, string> = {}): GetPromptResult['messages'] {
  const user = (content: GetPromptResult['messages'][number]['content']) => ({ role: 'user' as const, content });
  switch (name) {
    case 'test_simple_prompt':
      return [user(text('This is a simple prompt for testing.'))];
    case 'test_prompt_with_arguments':
      return [user(text(`Prompt with arguments: arg1='${args['arg1']}', arg2='${args['arg2']}'`))];
    case 'test_prompt_with_embedded_resource':
      return [
        user(embedded(args['resourceUri'] ?? '', 'text/plain', 'Embedded resource content for testing.')),
        user(text('Please process the embedded resource above.')),
      ];
    default:
      return [user(image), user(text('Please analyze the image above.'))];
  }
}

/** What the conformance suite asks of every server: its own tools, resources and prompts, on our server and transport. */
export function withFixtures(server: Server): Server {
  server.registerCapabilities({ logging: {}, resources: { subscribe: true } });
  server.setRequestHandler(
    CallToolRequestSchema,
    async ({ params }, { sendNotification, _meta }): Promise<CallToolResult> => {
      const fixed = contents[params.name];
      if (fixed !== undefined) return { content: fixed };
      if (params.name === 'test_tool_with_logging') {
        for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
          await sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
          await delay(50);
        }
        return { content: [text('logged')] };
      }
      const progressToken = _meta?.progressToken;
      if (params.name === 'test_tool_with_progress') {
        for (const progress of [0, 50, 100]) {
          if (progressToken !== undefined)
            await sendNotification({
              method: 'notifications/progress',
              params: { progressToken, progress, total: 100 },
            });
          await delay(50);
        }
        return { content: [text('progressed')] };
      }
      return { isError: true, content: [text('This tool intentionally returns an error for testing')] };
    },
  );
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => ({
    contents: [resources[params.uri] as ReadResourceResult['contents'][number]],
  }));
  server.setRequestHandler(SetLevelRequestSchema, () => ({}));
  server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: promptMessages(params.name, params.arguments),
  }));
  return server;
}
