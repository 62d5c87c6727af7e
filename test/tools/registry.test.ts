import { existsSync } from 'node:fs';

import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';

import { definitionOf, ofEveryAnswer } from '../../src/mcp/definitions.ts';
import { everyTool, tools } from '../../src/tools/index.ts';
import type { Tool } from '../../src/tools/shared/tool.ts';
import { connectInProcess, makeStore } from '../helpers.ts';

const definitions = async () => (await (await connectInProcess((await makeStore()).path)).listTools()).tools;

describe('the tools', () => {
  it('are those of the contract, each in a file of the same name', () => {
    expect(tools.map(({ name }) => name).toSorted()).toEqual([
      'audit_execution',
      'compare_executions',
      'get_execution_timeline',
      'get_workflow_monitor',
      'list_agents',
      'list_alarms',
      'list_logs',
      'list_messages',
      'list_stf_files',
      'list_tf_files',
      'list_tf_slices',
      'list_workflow_executions',
      'plan_run',
      'query_store',
      'shift_report',
      'summarize',
      'trace_data_product',
      'verify_files',
      'wait_for_execution',
    ]);
    for (const { name } of everyTool) expect(existsSync(`src/tools/${name.replaceAll('_', '-')}.ts`)).toBe(true);
  });

  it('have a description, annotations, and a type and description for each argument', async () => {
    for (const tool of await definitions()) {
      expect(tool.description?.length).toBeGreaterThan(100);
      expect(tool.description?.length).toBeLessThan(1000);
      expect(tool.annotations).toEqual({
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      });
      expect(tool.inputSchema).toMatchObject({ type: 'object' });
      expect(JSON.stringify(tool.inputSchema)).not.toContain('additionalProperties');
      expect(tool.outputSchema).toMatchObject({ type: 'object' });
      for (const [name, property] of Object.entries(tool.inputSchema.properties ?? {})) {
        expect({ tool: tool.name, name, ...property }).toMatchObject({
          type: expect.stringMatching(/^(string|integer|number|boolean)$/),
          description: expect.any(String),
        });
      }
    }
  });

  it('have schemas that name no dialect, since some clients refuse those that do', async () => {
    expect(JSON.stringify(await definitions())).not.toContain('$schema');
  });

  it('match the golden file, and have at most 750 tokens each and 9,000 in total', async () => {
    const all = everyTool.map(definitionOf);
    await expect(`${JSON.stringify(all, null, 2)}\n`).toMatchFileSnapshot('../golden/tools.json');
    const tokens = all.map((definition) => ({
      name: definition.name,
      tokens: encode(JSON.stringify(definition)).length,
    }));
    for (const one of tokens)
      expect(one).toEqual({ name: one.name, tokens: expect.toSatisfy((n: number) => n <= 750) });
    // The tools that read may take 8,000 together, all of them 9,000.
    const sumOf = (some: typeof tokens): number => some.reduce((before, one) => before + one.tokens, 0);
    expect(sumOf(tokens.slice(0, tools.length))).toBeLessThanOrEqual(8000);
    expect(sumOf(tokens)).toBeLessThanOrEqual(9000);
  });

  it('name every field of their answers and, for a list, of its items', async () => {
    for (const tool of everyTool) {
      const told = definitionOf(tool).outputSchema as { properties: Record<string, { description?: string }> };
      expect(Object.keys(told.properties)).toEqual(
        Object.keys(tool.output.shape).filter((name) => !ofEveryAnswer.includes(name)),
      );
    }
    const slices = definitionOf(tools.find(({ name }) => name === 'list_tf_slices') as Tool).outputSchema as any;
    expect(slices.properties.items.description).toMatch(/^slice_filename slice_id .* status retries/);
  });
});
