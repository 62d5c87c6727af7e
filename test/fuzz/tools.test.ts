import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { errorCodes } from '../../src/lib/errors.ts';
import { tools } from '../../src/tools/index.ts';
import { ask, connectInProcess, runWorkflow, temporaryFolder } from '../helpers.ts';
import { rounds } from '../rounds.ts';

const oneLine = new RegExp(`^(${errorCodes.join('|')}): [^\\n]{1,3000}$`);

/** Values that a careless client may send for an argument, and some valid ones. */
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(
    'latest',
    'stf_datataking-tester-0001',
    100_010,
    '100010',
    'completed',
    'failed',
    'ERROR',
    '-15m',
    '2026-11-25T00:00:00Z',
    '9999-99-99',
    'swf.100010.000001.stf',
    'newest',
    200,
    0,
    -1,
    1e308,
    null,
    true,
    '',
    '%',
    "'; DROP TABLE runs; --",
    '\u0000\u001B[31m\u202E',
    'x'.repeat(5000),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 2 }),
);

const anyCall = fc.constantFrom(...tools).chain((tool) => {
  const names = [...Object.keys(tool.input.shape), ...Object.keys(tool.aliases)];
  const key = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
  );
  return fc.record({ name: fc.constant(tool.name), args: fc.dictionary(key, anyValue, { maxKeys: 5 }) });
});

/** An answer that fits its schema (the client checks that), or one line that says what is wrong. */
async function expectClear(client: Client, name: string, args: Record<string, unknown>): Promise<boolean> {
  const result = await client.callTool({ name, arguments: args });
  const text = (result.content as { text: string }[])[0]?.text ?? '';
  if (result.isError === true) expect(text).toMatch(oneLine);
  else expect(text.length).toBeLessThanOrEqual(25_000);
  return result.isError !== true;
}

describe('tool calls with arbitrary arguments', () => {
  it('return an answer or one clear line', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const client = await connectInProcess(`${folder}/swf.db`);
    let answers = 0;
    await fc.assert(
      fc.asyncProperty(anyCall, async ({ name, args }) => {
        if (await expectClear(client, name, args)) answers += 1;
      }),
      { numRuns: rounds(10_000), seed: 5 },
    );
    // Neither all refused nor all accepted.
    expect(answers / rounds(10_000)).toBeGreaterThan(0.08);
    expect(answers / rounds(10_000)).toBeLessThan(0.9);
  });
});

describe('a changed cursor', () => {
  it('is either accepted or refused in one line', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const client = await connectInProcess(`${folder}/swf.db`);
    const { next_cursor } = await ask(client, 'list_messages', { execution_id: 'latest', limit: 5 });
    const good = next_cursor as string;
    const decoded = Buffer.from(good, 'base64url').toString();
    const changed = fc.oneof(
      fc
        .tuple(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, letter]) => good.slice(0, at) + letter + good.slice(at + 1)),
      fc
        .tuple(fc.nat(decoded.length - 1), fc.string({ maxLength: 3 }))
        .map(([at, text]) => Buffer.from(decoded.slice(0, at) + text + decoded.slice(at + 1)).toString('base64url')),
      // Another place in the list.
      fc.nat(1000).map((after) => Buffer.from(JSON.stringify({ ...JSON.parse(decoded), after })).toString('base64url')),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
      fc.string({ minLength: 1, maxLength: 300 }),
    );
    expect(await expectClear(client, 'list_messages', { execution_id: 'latest', limit: 5, cursor: good })).toBe(true);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(changed, async (cursor) => {
        if (await expectClear(client, 'list_messages', { execution_id: 'latest', limit: 5, cursor })) accepted += 1;
      }),
      { numRuns: rounds(2000), seed: 5 },
    );
    expect(accepted).toBeGreaterThan(0);
    expect(accepted / rounds(2000)).toBeLessThan(0.5);
  });
});
