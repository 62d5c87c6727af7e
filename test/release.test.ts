import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { derivedFields, missingFor, serverJson } from '../scripts/release.js';

const ours = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string; description: string };
const named = { ...ours, repository: 'github:somebody/swf-mcp' };
const about = { ...named, ...(derivedFields(named) ?? { homepage: '', bugs: '', mcpName: '' }) };

/** What the registry requires of the fields that we use (schema 2025-12-11). */
const registryEntry = z.strictObject({
  $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  description: z.string().min(1).max(100),
  repository: z.strictObject({ url: z.url(), source: z.literal('github') }),
  version: z
    .string()
    .max(255)
    .regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/),
  packages: z
    .array(
      z.strictObject({
        registryType: z.literal('npm'),
        identifier: z.literal('swf-mcp'),
        version: z.string(),
        transport: z.strictObject({ type: z.literal('stdio') }),
        environmentVariables: z.array(
          z.strictObject({
            name: z.string(),
            description: z.string(),
            isRequired: z.boolean(),
            format: z.enum(['string', 'number', 'boolean', 'filepath']).optional(),
          }),
        ),
      }),
    )
    .length(1),
});

describe('a release', () => {
  it('names its repository in one field, from which all others are derived', () => {
    expect(derivedFields(named)).toEqual({
      homepage: 'https://github.com/somebody/swf-mcp#readme',
      bugs: 'https://github.com/somebody/swf-mcp/issues',
      mcpName: 'io.github.somebody/swf-mcp',
    });
    expect(derivedFields({ name: 'swf-mcp' })).toBeUndefined();
  });

  it('has a valid registry entry that is generated from package.json', () => {
    const entry = registryEntry.parse(serverJson(about));
    expect(entry.version).toBe(ours.version);
    expect(entry.packages[0]?.version).toBe(ours.version);
    expect(entry.name).toBe(about.mcpName);
  });

  const ready = {
    about,
    server: `${JSON.stringify(serverJson(about), null, 2)}\n`,
    changelog: `# Changelog\n\n## ${ours.version} (2026-12-15)\n`,
    tags: [`v${ours.version}`],
    changes: '',
    testsPass: () => true,
  };
  const lacking: [what: string, facts: Partial<typeof ready>, line: RegExp][] = [
    ['a repository', { about: ours as never }, /^repository: none in package\.json; npm pkg set/],
    ['repository fields', { about: { ...about, bugs: 'elsewhere' } }, /^homepage, bugs or mcpName: .*release:prepare$/],
    ['a registry entry', { server: '' }, /^server\.json: .*release:prepare$/],
    [
      'a dated changelog entry',
      { changelog: `## ${ours.version} (2026-11-25, not released yet)` },
      /^changelog entry: /,
    ],
    ['a clean tree', { changes: ' M README.md\n?? x\n' }, /^clean tree: 2 files/],
    ['a tag', { tags: [''] }, /^tag: git tag v/],
    ['tests that pass', { testsPass: () => false }, /^tests: /],
  ];
  it.each(lacking)('that lacks %s is reported in one line', (_, facts, line) => {
    expect(missingFor({ ...ready, ...facts })).toEqual([expect.stringMatching(line)]);
  });

  it('passes if it lacks nothing, and its tests run only if nothing else is missing', () => {
    expect(missingFor(ready)).toEqual([]);
    const testsPass = (): boolean => {
      throw new Error('the tests ran');
    };
    expect(missingFor({ ...ready, tags: [], testsPass })).toHaveLength(1);
  });
});
