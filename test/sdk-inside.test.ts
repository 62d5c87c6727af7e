import { readFileSync } from 'node:fs';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { Protocol } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { connectInProcess, makeRunningStore } from './helpers.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
const installed = JSON.parse(readFileSync('node_modules/@modelcontextprotocol/sdk/package.json', 'utf8')) as {
  version: string;
};

/** Four internals of the SDK that the product relies on (docs/decisions/sdk-1.x.md). */
describe('the internals of the MCP SDK that we rely on', () => {
  it('are those of the installed version, which is pinned exactly', () => {
    expect(manifest.dependencies['@modelcontextprotocol/sdk']).toBe(installed.version);
  });

  it('let Protocol.prototype.setRequestHandler bypass the check of tools/call by Server', async () => {
    for (const prototype of [Protocol.prototype, Server.prototype])
      expect(Object.hasOwn(prototype, 'setRequestHandler')).toBe(true);
    // The SDK's own check would answer with a different error.
    const client = await connectInProcess((await makeRunningStore()).path);
    await expect(client.request({ method: 'tools/call', params: {} }, z.unknown())).rejects.toThrow(
      /tools\/call takes params with the name of a tool/,
    );
  });

  it('have a method _oninitialize, which begins a session', () => {
    const { _oninitialize: begin } = Server.prototype as unknown as { _oninitialize: unknown };
    expect(begin).toBeTypeOf('function');
  });

  it('use the validator of a server only to elicit input from a client', () => {
    const source = readFileSync('node_modules/@modelcontextprotocol/sdk/dist/esm/server/index.js', 'utf8');
    const uses = [...source.matchAll(/_jsonSchemaValidator\.getValidator/g)];
    expect(uses).toHaveLength(1);
    const before = source.slice(0, uses[0]?.index ?? 0);
    expect(before.slice(before.lastIndexOf('\n    async ')).trimStart()).toMatch(/^async elicitInput/);
  });

  it('need ajv only as a default validator, so that the bundle can replace it', () => {
    const source = readFileSync('node_modules/@modelcontextprotocol/sdk/dist/esm/server/index.js', 'utf8');
    expect([...source.matchAll(/ajv/gi)].length).toBeGreaterThan(0);
    expect(source).toMatch(/jsonSchemaValidator \?\? new AjvJsonSchemaValidator\(\)/);
    const build = readFileSync('scripts/build.js', 'utf8');
    expect(build).toContain(`alias: { ajv: './scripts/nothing.js', 'ajv-formats': './scripts/nothing.js' }`);
  });
});
