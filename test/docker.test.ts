import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { runCli, temporaryFolder } from './helpers.ts';

const read = (path: string): string => readFileSync(path, 'utf8');
const compose = read('examples/docker/compose.yaml');
const dockerfile = read('examples/docker/Dockerfile');

describe('the containers of the example', () => {
  const commands = [...compose.matchAll(/command: (\[.*\])/g)].map(
    ([, words = '']) => JSON.parse(words.replaceAll("'", '"')) as string[],
  );

  it('run commands that exist, with flags that exist', async () => {
    expect(commands.map(([name]) => name)).toEqual(['up', 'serve']);
    for (const [name = '', ...flags] of commands) {
      const { stdout } = await runCli(['help', name], { folder: temporaryFolder() });
      for (const flag of flags.filter((word) => word.startsWith('--'))) expect(stdout).toContain(`  ${flag} `);
    }
  });

  it('have a namespace of their own, which messages over a broker need', () => {
    const [agents] = commands;
    expect(agents?.join(' ')).toContain('--set testbed.namespace=');
    expect(read('docs/operating.md')).toContain(agents?.slice(-2).join(' '));
  });

  it("have the package's program, a supported Node.js, and the same Artemis version as the tests", () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
    expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '')).toEqual(Object.keys(bin));
    // better-sqlite3 needs no compiler from Node.js 22 on.
    for (const [, version] of dockerfile.matchAll(/^FROM node:(\d+)/gm))
      expect(Number(version)).toBeGreaterThanOrEqual(22);
    const artemis = /activemq-artemis:([\d.]+)/.exec(compose)?.[1];
    expect(read('.ci/run')).toContain(`apache-artemis-${artemis}`);
  });

  it('take their secrets from the environment, not from files', () => {
    for (const [, value] of compose.matchAll(/^ *\w*(?:PASSWORD|TOKEN): (.*)$/gm)) expect(value).toMatch(/^\$\{\w+:\?/);
  });
});
