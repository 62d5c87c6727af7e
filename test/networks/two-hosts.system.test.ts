import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { activeMq } from '../brokers/activemq.ts';
import { type Host, Hosts, networksAreMissing } from './hosts.ts';

const page = readFileSync('docs/hosts.md', 'utf8');

/** The commands of the page, in their order, with the host that each is for. */
const commands = [...page.matchAll(/```sh\n# on (both|host-[ab])\n([^`]*)```/g)].flatMap(([, on = '', text = '']) =>
  text
    .trim()
    .split('\n')
    .map((line) => ({ on, words: line.split(' ') })),
);

/** Commands that run until they are stopped, with the output that shows that they are ready. */
const goesOn: Readonly<Record<string, RegExp>> = {
  'serve-files': /files in .* at /,
  up: /worker-\S+ is running in namespace/,
};

const missing = networksAreMissing() ?? activeMq.missing();

describe.skipIf(missing !== undefined)('docs/hosts.md', () => {
  it('works command by command on two hosts that share nothing', async () => {
    const hosts = new Hosts(['host-a', 'host-b']);
    onTestFinished(() => hosts.close());
    const [a, b] = [hosts.host('host-a'), hosts.host('host-b')];
    const broker = await activeMq.start({ address: a.address, within: (command, args) => a.within(command, args) });
    onTestFinished(() => broker.stop());
    // A reader copies the example, and puts the names of the hosts into it.
    for (const { folder } of [a, b]) {
      cpSync('examples/two-hosts', folder, { recursive: true });
      for (const name of readdirSync(folder).filter((each) => each.endsWith('.toml'))) {
        const text = readFileSync(join(folder, name), 'utf8');
        writeFileSync(
          join(folder, name),
          text
            .replaceAll('host-a:61613', `${a.address}:${broker.port}`)
            .replaceAll(/host-([ab]):8090/g, (_, letter) => `${letter === 'a' ? a.address : b.address}:8090`),
        );
      }
    }
    const env: Record<string, string> = {};
    let ran = 0;
    let output = '';
    const run = async (host: Host, words: readonly string[]): Promise<void> => {
      const [program, command = '', ...args] = words;
      if (program === 'export') {
        for (const pair of words.slice(1)) env[pair.split('=')[0] ?? ''] = pair.split('=')[1] ?? '';
        return;
      }
      const addressed = args.map((word) => word.replace(/^host-[ab](?=:)/, (name) => hosts.host(name).address));
      const started = host.start([command, ...addressed], env);
      ran += 1;
      const sign = goesOn[command];
      if (sign !== undefined) {
        await started.saw(sign);
        return;
      }
      const { code, stdout, stderr } = await started.finished;
      expect({ command: words.join(' '), code, stdout, stderr }).toMatchObject({ code: 0 });
      output += stdout;
    };
    for (const { on, words } of commands)
      for (const host of on === 'both' ? [a] : [hosts.host(on)]) await run(host, words);
    expect(ran).toBe(9);
    expect(output).toMatch(/^ok {4}files +http:\/\/\S+:8090 answers, and accepts the token$/m);
    expect(output).toMatch(/completed/);
    expect(output.match(/^worker-agent-\S+ +(?:READY|PROCESSING) /gm)).toHaveLength(2);
    expect(readdirSync(join(b.folder, 'files-b'))).toHaveLength(1);
  });
});
