import { Agent } from 'node:http';

import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import { answerIn, call, monitor, send } from '../commands/http-requests.ts';
import { runWorkflow, startHttp, temporaryFolder } from '../helpers.ts';
import { harmful } from '../hostile-store.ts';
import { rounds } from '../rounds.ts';

/** Invalid messages of JSON-RPC, and some valid ones. */
const anyId = fc.oneof(fc.integer(), fc.string({ maxLength: 8 }), fc.constantFrom(null, true, {}, [], 1e308, -0.5));
const anyMessage = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.record(
    {
      jsonrpc: fc.constantFrom('2.0', '1.0', 2),
      id: anyId,
      method: fc.oneof(
        fc.constantFrom(
          'tools/call',
          'tools/list',
          'initialize',
          'ping',
          'resources/read',
          'prompts/get',
          'completion/complete',
          'notifications/cancelled',
          'notifications/initialized',
          '__proto__',
          'constructor',
        ),
        fc.string({ unit: 'binary', maxLength: 20 }),
      ),
      params: fc.oneof(
        fc.jsonValue({ maxDepth: 3 }),
        fc.record({
          name: fc.constantFrom('get_workflow_monitor', 'list_logs', 'nothing', '__proto__', 'start_workflow'),
          arguments: fc.jsonValue({ maxDepth: 3 }),
        }),
        fc.record({ requestId: anyId }),
        fc.record({
          uri: fc.constantFrom('swf://executions/latest/report', 'swf://shift/-8h', 'file:///etc/passwd', ''),
        }),
      ),
    },
    { requiredKeys: [] },
  ),
);
const wholeBodies = fc.oneof(anyMessage, fc.array(anyMessage, { maxLength: 6 })).map((body) => JSON.stringify(body));
const anyBody = fc.oneof(
  { weight: 5, arbitrary: wholeBodies },
  // Truncated, or with other text in the middle.
  {
    weight: 2,
    arbitrary: fc
      .tuple(wholeBodies, fc.nat(), fc.string({ unit: 'binary', maxLength: 12 }))
      .map(
        ([body, at, text]) => body.slice(0, at % (body.length + 1)) + text + body.slice((at % (body.length + 1)) + 1),
      ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
  { weight: 1, arbitrary: fc.nat(20_000).map((depth) => '['.repeat(depth)) },
);

/** The messages of an answer, either a stream of events or JSON. */
const messagesIn = (text: string): object[] =>
  text.startsWith('{')
    ? [JSON.parse(text) as object]
    : text
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => JSON.parse(line.slice(6)) as object);

describe('arbitrary bodies over HTTP', () => {
  it('are answered with harmless JSON, and the server keeps working', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const { url, server } = await startHttp({ folder });
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    onTestFinished(() => agent.destroy());
    await fc.assert(
      fc.asyncProperty(anyBody, async (body) => {
        const { status, body: text } = await send(url, { body, agent });
        expect(status).toBeLessThan(500);
        expect(text).not.toMatch(/node_modules|\bat .*\.js:\d+/);
        for (const message of messagesIn(text)) {
          // The one text that must be returned as it was sent.
          const { id: _, ...rest } = message as { id?: unknown };
          expect(JSON.stringify(rest)).not.toMatch(harmful);
        }
      }),
      { numRuns: rounds(600), seed: 11 },
    );
    expect(answerIn((await send(url, { body: monitor })).body).result.structuredContent).toMatchObject({
      slices_completed: 15,
    });
    expect((await send(url, { body: call('list_logs', {}) })).status).toBe(200);
    server.kill('SIGTERM');
    expect(await server.finished).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/bug/) });
  });
});
