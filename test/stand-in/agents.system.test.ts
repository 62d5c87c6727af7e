import { resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { artemisBroker, startArtemis } from '../brokers/artemis.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Answer, ask, connectInProcess, startCli, startProcess, temporaryFolder } from '../helpers.ts';

const why = artemisBroker.missing();
if (why !== undefined) console.warn(why);

describe.skipIf(why !== undefined)("agents written as the testbed's tables describe them", () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startArtemis('site');
  });
  afterAll(() => broker.stop());

  it('complete a run of 20 STFs with swf-mcp as their monitor, without repeating a call', async () => {
    const folder = temporaryFolder();
    const env = { ...broker.env, SWF_MONITOR_TOKEN: 'secret' };
    const words = ['observe', '--broker', broker.url, '--layout', 'head', '--api', '0'];
    const observer = startCli(words, { folder, env });
    const root = (await observer.saw(/stands in for swf-monitor at (\S+)\//)).replace(/\/$/, '');
    await observer.saw(/subscribed to/);
    const theirs = [resolve('test/stand-in/agents.py'), String(broker.port), `${root}/swf-monitor`, 'epic-test', '20'];
    const agents = startProcess('/usr/bin/python3', theirs, { folder, env });
    const { code, stdout, stderr } = await agents.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const told = JSON.parse(stdout) as Answer;
    expect(told).toMatchObject({ stf: 20, tf: 60, slices: 300, results: 300, again: 0 });
    expect(told['slowest']).toBeLessThan(5);
    observer.child.kill('SIGTERM');
    expect(await observer.finished).toMatchObject({ code: 0 });
    const client = await connectInProcess(`${folder}/swf.db`);
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: told['execution_id'] });
    expect(monitor).toMatchObject({
      status: 'completed',
      stf_count: 20,
      tf_files_received: 60,
      slices_created: 300,
      slices_sent: 300,
      slices_completed: 300,
      results_repeated: 0,
      results_unmatched: 0,
      executed_by: 'user',
      configuration: { stf_count: 20, slices_per_sample: 5 },
      told: { status: 'completed' },
    });
    expect(monitor['findings'].map(({ code: found }: Answer) => found)).toEqual([]);
  });
});
