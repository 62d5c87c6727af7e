import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { activeMq } from '../brokers/activemq.ts';
import { artemisBroker, startArtemis } from '../brokers/artemis.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Answer, runCli, type Started, startCli, startProcess, temporaryFolder } from '../helpers.ts';

/** Their agents take every message on their queues, so ours have their own queues at such a site. */
const ownQueues = ['slices', 'results'].flatMap((name) => [
  '--set',
  `broker.destinations.${name}=/queue/swf.test.${name}`,
]);

const small = ['fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=4'].flatMap((set) => [
  '--set',
  set,
]);

const kinds = [
  { kind: 'activemq', missing: activeMq.missing, start: () => activeMq.start() },
  // Its addresses are created beforehand, as at a site.
  { kind: 'artemis', missing: artemisBroker.missing, start: () => startArtemis('literal') },
];

for (const { kind, missing, start } of kinds) {
  const why = missing();
  if (why !== undefined) console.warn(why);

  describe.skipIf(why !== undefined)(`foreign programs on ${kind}`, () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker.stop());

    /** The stand-in for the existing testbed, in a namespace. */
    const startTestbed = async (namespace: string, ...job: string[]): Promise<Started> => {
      const words = [resolve('test/testbed.py'), String(broker.port), namespace, ...job];
      const testbed = startProcess('/usr/bin/python3', words, { folder: temporaryFolder() });
      await testbed.saw(/"ready"/);
      return testbed;
    };
    const countsOf = async (testbed: Started): Promise<Answer> => {
      testbed.child.stdin?.end();
      const { stdout } = await testbed.finished;
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer;
    };
    const command = (
      namespace: string,
      ...words: string[]
    ): [string[], { folder: string; env: Record<string, string> }] => [
      [...words, '--broker', broker.url, '--set', `testbed.namespace=${namespace}`],
      { folder: temporaryFolder(), env: broker.env },
    ];
    const listen = ['--set', 'broker.listen_seconds=4'];

    it('keep their namespace: our programs refuse to start in it, and take none of their messages', async () => {
      const testbed = await startTestbed('theirs', 'work');
      const refused = [
        [['run', '--stf-count', '1'], 1],
        [['request'], 1],
        [['agent', 'daq_simulator'], 78],
        [['agent', 'worker'], 78],
        [['up'], 78],
      ] as const;
      await Promise.all(
        refused.map(async ([words, code]) => {
          const ended = await runCli(...command('theirs', ...words, ...listen));
          expect({ words, code: ended.code, stderr: ended.stderr }).toEqual({
            words,
            code,
            stderr: expect.stringMatching(
              /NAMESPACE_IN_USE: .*daq_simulator-agent-shifter-3 \(\w+ on \/topic\/epictopic\)/,
            ),
          });
          expect(ended.stderr).toContain('listening for 4 s');
        }),
      );
      expect(await countsOf(testbed)).toMatchObject({ missing: 0, foreign: 0 });
    });

    it('and our programs in another namespace lose no messages to each other', async () => {
      const testbed = await startTestbed('theirs', 'work');
      const [words, around] = command(
        'ours',
        'run',
        '--stf-count',
        '4',
        '--speed',
        '20',
        '--json',
        ...listen,
        ...small,
        ...ownQueues,
      );
      const { code, stdout, stderr } = await startCli(words, around).finished;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const { slices_created, slices_completed, status } = JSON.parse(stdout) as Answer;
      expect({ status, slices_completed }).toEqual({ status: 'completed', slices_completed: slices_created });
      const { slices, results, missing: lost, foreign } = await countsOf(testbed);
      expect(slices).toBeGreaterThan(0);
      expect({ results, lost, foreign }).toEqual({ results: slices, lost: 0, foreign: 0 });
    });

    it('that start later lose no messages, and our service and our run exit and state the reason', async () => {
      const quiet = ['--set', 'broker.listen_seconds=0'];
      const service = startCli(...command('later', 'agent', 'daq_simulator', ...quiet));
      const worker = startCli(...command('later', 'agent', 'worker', ...quiet));
      await Promise.all([service.saw(/is running in namespace/), worker.saw(/is running in namespace/)]);
      const testbed = await startTestbed('later', 'work');
      for (const { finished } of [service, worker]) {
        const { code, stderr } = await finished;
        expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('NAMESPACE_IN_USE: ') });
      }
      expect(await countsOf(testbed)).toMatchObject({ missing: 0, foreign: 0 });

      const [words, around] = command('later2', 'run', '--stf-count', '0', '--speed', '2', ...quiet, ...ownQueues);
      const run = startCli(words, around);
      await run.saw(/stf_gen|data/);
      const second = await startTestbed('later2', 'work');
      const { code, stderr } = await run.finished;
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('NAMESPACE_IN_USE: ') });
      expect(await countsOf(second)).toMatchObject({ missing: 0, foreign: 0 });
      const { findings } = JSON.parse((await runCli(['status', '--json'], around)).stdout) as Answer;
      expect(findings[0]).toMatchObject({
        code: 'DRIVER_FAULT',
        sentence: expect.stringContaining('NAMESPACE_IN_USE'),
      });
    });

    it('that are idle are found through their monitor if SWF_MONITOR_URL is set', async () => {
      const ask = {
        instance_name: 'data-agent-shifter-1',
        namespace: 'quiet',
        status: 'OK',
        operational_state: 'READY',
      };
      const answers = [
        [{ ...ask, last_heartbeat: new Date().toISOString() }],
        [{ ...ask, last_heartbeat: new Date().toISOString(), operational_state: 'EXITED' }],
      ];
      const paths: string[] = [];
      const monitor = createServer(({ url = '' }, response) => {
        paths.push(url);
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answers.shift()));
      }).listen(0, '127.0.0.1');
      onTestFinished(() => void monitor.close());
      await once(monitor, 'listening');
      const { port } = monitor.address() as AddressInfo;
      const [words, around] = command('quiet', 'run', '--stf-count', '1', '--speed', '50', ...listen, ...small);
      const asking = { ...around, env: { ...around.env, SWF_MONITOR_URL: `http://127.0.0.1:${port}/swf-monitor` } };
      expect(await runCli(words, asking)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/NAMESPACE_IN_USE: .*data-agent-shifter-1 \(READY on http/),
      });
      expect(await runCli(words, asking)).toMatchObject({ code: 0 });
      expect(paths).toEqual(['/swf-monitor/api/systemagents/', '/swf-monitor/api/systemagents/']);
    });

    it('that only send heartbeats are found if the site layout is set; idle programs are not', async () => {
      const beating = await startTestbed('beats', 'beat', '1');
      const withLayout = await runCli(
        ...command('beats', 'run', '--stf-count', '1', '--set', 'broker.layout=head', ...listen),
      );
      expect(withLayout).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /NAMESPACE_IN_USE: .*beats\.TFBroadcastSubscriber.*\(heartbeat on \/topic\/panda\.transformer\)/,
        ),
      });
      beating.child.kill();
      await startTestbed('idle', 'idle');
      const beside = await runCli(...command('idle', 'run', '--stf-count', '1', '--speed', '50', ...listen, ...small));
      expect(beside).toMatchObject({ code: 0, stderr: expect.stringContaining('idle programs send nothing there') });
    });
  });
}
