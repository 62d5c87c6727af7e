import { resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { artemisState } from '../brokers/artemis-state.ts';
import { artemisBroker, startArtemis } from '../brokers/artemis.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Finished, runCli, startProcess, temporaryFolder } from '../helpers.ts';

const missing = artemisBroker.missing();

describe.skipIf(missing !== undefined)('doctor at a site with restricted users', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startArtemis('site');
  });
  afterAll(() => broker.stop());

  const doctor = (namespace: string, ...words: string[]): Promise<Finished> =>
    runCli(['doctor', '--broker', broker.url, '--set', `testbed.namespace=${namespace}`, ...words], {
      folder: temporaryFolder(),
      env: broker.env,
    });

  it('leaves no queue, address or subscription behind, and lists the foreign programs it detects', async () => {
    const words = [resolve('test/testbed.py'), String(broker.port), 'theirs', 'beat', '1'];
    const testbed = startProcess('/usr/bin/python3', words, { folder: temporaryFolder() });
    await testbed.saw(/"ready"/);
    const before = await artemisState(broker);
    const layout = ['--set', 'broker.layout=head', '--wait', '3'];
    const [ours, theirs, short] = await Promise.all([
      doctor('ours', ...layout),
      doctor('theirs', ...layout),
      doctor('ours', '--wait', '1'),
    ]);
    expect(await artemisState(broker)).toEqual(before);
    expect(ours).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^ok {4}other program +theirs\.TFBroadcastSubscriber\S+ \(other software\) is running in namespace theirs/m,
      ),
    });
    expect(ours.stdout).toMatch(/^ok {4}clock +within \d s of the broker's/m);
    expect(theirs).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^fail {2}other program .*testbed\.namespace/m),
    });
    expect(short).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^ok {4}other program +no other software .* but idle programs send nothing there. To be sure, set broker.layout/m,
      ),
    });
  });

  it('shows with --prove which messages the layout blocks, and which key to set', async () => {
    const { code, stdout } = await doctor('ours', '--wait', '1', '--prove');
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    const at = (subject: string): number => lines.findIndex((line) => line.slice(6, 20).trim() === subject);
    expect(at('remains')).toBeGreaterThan(0);
    expect(at('remains')).toBeLessThan(at('broadcast'));
    expect(lines[at('results')]).toMatch(/^fail.*broker\.destinations\.results .*\/queue\/swf\.results/);
    expect(lines[at('broadcast')]).toMatch(/^ok/);
    const own = ['results', 'slices'].flatMap((key) => ['--set', `broker.destinations.${key}=/queue/swf.${key}`]);
    const mended = await doctor('ours', '--wait', '1', '--prove', ...own);
    expect(mended.stdout).toMatch(/^ok {4}results /m);
  });
});
