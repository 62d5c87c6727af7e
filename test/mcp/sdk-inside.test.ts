import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { Server as Later } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';

const versionIn = (name: string): string =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }).version;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>;

/** The parts of the SDKs that the adapters in `src/mcp/` rely on, though they are not for users (docs/decisions/sdk-1.x.md). */
describe.each([
  ['@modelcontextprotocol/sdk', 'dependencies'],
  ['@modelcontextprotocol/server', 'devDependencies'],
] as const)('the internals of %s', (name, kind) => {
  it('are those of the installed version, which package.json pins exactly', () => {
    expect(manifest[kind]?.[name]).toBe(versionIn(name));
  });
});

describe('SDK 1.x', () => {
  const source = readFileSync('node_modules/@modelcontextprotocol/sdk/dist/esm/server/index.js', 'utf8');

  it('has a method _oninitialize, which begins a session', () => {
    const { _oninitialize: begin } = Server.prototype as unknown as { _oninitialize: unknown };
    expect(begin).toBeTypeOf('function');
  });

  it('uses the validator of a server only to elicit input from a client', () => {
    expect(usesOfValidator(source, '    async ')).toEqual(['elicitInput']);
  });

  it('uses ajv only as a default validator, which the bundle can replace', () => {
    expect([...source.matchAll(/ajv/gi)].length).toBeGreaterThan(0);
    expect(source).toMatch(/jsonSchemaValidator \?\? new AjvJsonSchemaValidator\(\)/);
    const build = readFileSync('scripts/build.js', 'utf8');
    for (const left of ['ajv: ', "'ajv-formats': "]) expect(build).toContain(`    ${left}'./scripts/nothing.js',`);
  });
});

describe('SDK 2.x', () => {
  const folder = 'node_modules/@modelcontextprotocol/server/dist';
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith('.mjs') && !file.startsWith('shims'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));

  it('has a method _wrapHandler, which checks tool calls', () => {
    const { _wrapHandler: wrap } = Later.prototype as unknown as { _wrapHandler: unknown };
    expect(wrap).toBeTypeOf('function');
  });

  it('uses the validator of a server only to elicit input from a client', () => {
    expect(sources.flatMap((source) => usesOfValidator(source, '\tasync '))).toEqual(['_sendElicitationLeg']);
  });

  it('imports from its shims only what scripts/shims.js provides, and uses the validator only as a default', () => {
    const taken = sources.flatMap((source) =>
      [...source.matchAll(/^import \{ (.+) \} from "@modelcontextprotocol\/server\/_shims";$/gm)].map(
        ([, names]) => names,
      ),
    );
    expect(new Set(taken)).toEqual(new Set(['DefaultJsonSchemaValidator', 'process']));
    expect(sources.join('\n')).toMatch(/jsonSchemaValidator \?\? new DefaultJsonSchemaValidator\(\)/);
    const build = readFileSync('scripts/build.js', 'utf8');
    expect(build).toContain(`    '@modelcontextprotocol/server/_shims': './scripts/shims.js',`);
  });
});

/** The methods of a source that use the validator of a server. @param begin how a method begins */
const usesOfValidator = (source: string, begin: string): string[] =>
  [...source.matchAll(/_jsonSchemaValidator\.getValidator/g)].map(({ index }) => {
    const before = source.slice(0, index);
    return /^\w+/.exec(before.slice(before.lastIndexOf(`\n${begin}`) + begin.length + 1))?.[0] ?? '';
  });
