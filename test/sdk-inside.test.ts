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

/** Four parts of the SDK's inside that the product relies on (docs/decisions/sdk-1.x.md). */
describe('the inside of the MCP SDK that we rely on', () => {
  it('is that of one version, which is pinned exactly and installed', () => {
    expect(manifest.dependencies['@modelcontextprotocol/sdk']).toBe(installed.version);
  });

  it('lets Protocol.prototype.setRequestHandler pass the own check of tools/call by Server', async () => {
    for (const prototype of [Protocol.prototype, Server.prototype])
      expect(Object.hasOwn(prototype, 'setRequestHandler')).toBe(true);
    // The SDK's own check would answer in its own words.
    const client = await connectInProcess((await makeRunningStore()).path);
    await expect(client.request({ method: 'tools/call', params: {} }, z.unknown())).rejects.toThrow(
      /tools\/call takes params with the name of a tool/,
    );
  });

  it('begins a session by a method that takes an initialize request', () => {
    const { _oninitialize: begin } = Server.prototype as unknown as { _oninitialize: unknown };
    expect(begin).toBeTypeOf('function');
  });

  it('asks the validator that is given to a server only for what the server asks of its client', () => {
    const source = readFileSync('node_modules/@modelcontextprotocol/sdk/dist/esm/server/index.js', 'utf8');
    const uses = [...source.matchAll(/_jsonSchemaValidator\.getValidator/g)];
    expect(uses).toHaveLength(1);
    const before = source.slice(0, uses[0]?.index ?? 0);
    expect(before.slice(before.lastIndexOf('\n    async ')).trimStart()).toMatch(/^async elicitInput/);
  });

  it('needs ajv for that validator alone, so that the bundle can do without it', () => {
    const source = readFileSync('node_modules/@modelcontextprotocol/sdk/dist/esm/server/index.js', 'utf8');
    expect([...source.matchAll(/ajv/gi)].length).toBeGreaterThan(0);
    expect(source).toMatch(/jsonSchemaValidator \?\? new AjvJsonSchemaValidator\(\)/);
    const build = readFileSync('scripts/build.js', 'utf8');
    expect(build).toContain(`alias: { ajv: './scripts/nothing.js', 'ajv-formats': './scripts/nothing.js' }`);
  });
});
