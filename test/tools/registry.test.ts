import { existsSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { tools } from '../../src/tools/index.ts';
import { connectInProcess, makeStore } from '../helpers.ts';

const definitions = async () => (await (await connectInProcess((await makeStore()).path)).listTools()).tools;

describe('the tools', () => {
  it('are those of the contract, each in a file of its name', () => {
    expect(tools.map(({ name }) => name).toSorted()).toEqual([
      'get_workflow_monitor',
      'list_agents',
      'list_logs',
      'list_messages',
      'list_stf_files',
      'list_tf_slices',
      'list_workflow_executions',
    ]);
    for (const { name } of tools) expect(existsSync(`src/tools/${name.replaceAll('_', '-')}.ts`)).toBe(true);
  });

  it('say what they are, take nothing that they do not name, and describe each argument', async () => {
    for (const tool of await definitions()) {
      expect(tool.description?.length).toBeGreaterThan(100);
      expect(tool.description?.length).toBeLessThan(1000);
      expect(tool.annotations).toEqual({
        title: tool.title,
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      });
      expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(tool.outputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      for (const [name, property] of Object.entries(tool.inputSchema.properties ?? {})) {
        expect({ tool: tool.name, name, ...property }).toMatchObject({
          type: expect.stringMatching(/^(string|integer|boolean)$/),
          description: expect.any(String),
        });
      }
    }
  });

  it('have schemas without a dialect of their own, which some clients refuse', async () => {
    expect(JSON.stringify(await definitions())).not.toContain('$schema');
  });
});
