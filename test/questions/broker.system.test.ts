import { describe, expect, it, onTestFinished } from 'vitest';

import { activeMq } from '../brokers/activemq.ts';
import { type Answer, ask, askAll, connectInProcess, temporaryFolder } from '../helpers.ts';
import { elsewhere, sets, Site } from '../remote/site.ts';
import { logOf } from './log-of.ts';

const why = activeMq.missing();
if (why !== undefined) console.warn(why);

describe.skipIf(why !== undefined)('one call answers each question about a run over a broker', () => {
  it('which agents take part, which one is gone, and is the broker reachable?', async () => {
    const folder = temporaryFolder();
    const store = `${folder}/swf.db`;
    const broker = await activeMq.start();
    onTestFinished(() => broker.stop());
    const settings = sets('fast_processing.slice_processing_time=4', 'fast_processing.target_worker_count=4');
    const here = new Site(() => broker, settings, undefined, folder);
    const [first] = await Promise.all([here.agent('worker', 1), here.agent('worker', 2)]);
    here.run('--speed', '5', ...elsewhere('worker'), ...sets('fast_processing.physics_period_count=0'));
    const done = () =>
      logOf(store).filter(({ message_type, body }) => message_type === 'slice_result' && body['state'] === 'done');
    await expect.poll(() => done().length).toBeGreaterThan(20);

    const client = await connectInProcess(store);
    const told = (tool: string, args: Answer = {}): Promise<Answer> =>
      ask(client, tool, { execution_id: 'latest', ...args });
    const findings = async (): Promise<Answer[]> => (await told('get_workflow_monitor'))['findings'] as Answer[];
    const finding = async (code: string): Promise<Answer | undefined> =>
      (await findings()).find((one) => one['code'] === code);

    // Which workers took part?
    const { groups } = await told('summarize', { what: 'slices', group_by: 'worker', status: 'completed' });
    const agentOf = (slot: string): string | undefined => slot.split('/')[0];
    const doers = new Set(done().map(({ body }) => agentOf(body['worker_id'] as string)));
    expect(new Set((groups as Answer[]).map(({ worker }) => agentOf(worker as string)))).toEqual(doers);
    expect(doers.size).toBe(2);

    // Which agents are there?
    const living = await askAll(client, 'list_agents');
    expect(
      living
        .filter(({ agent_type, status }) => agent_type === 'worker' && status === 'OK')
        .map((one) => one['agent_name']),
    ).toEqual(expect.arrayContaining([...doers]));

    // Is the broker there?
    expect(await finding('BROKER_AWAY')).toBeUndefined();
    const killed = Date.now();
    await broker.kill();
    await expect.poll(() => finding('BROKER_AWAY'), { interval: 250 }).toBeDefined();
    const [since] = /20\S+Z/.exec((await finding('BROKER_AWAY'))?.['sentence'] as string) ?? [];
    expect(Math.abs(Date.parse(since ?? '') - killed)).toBeLessThan(30_000);
    // Without a broker no agent can be heard, so none is reported as missing.
    expect((await findings()).map(({ code }) => code)).not.toContain('AGENT_MISSING');
    await broker.start();
    await expect.poll(() => finding('BROKER_AWAY'), { interval: 500 }).toBeUndefined();

    // Is a worker gone?
    first.child.kill('SIGKILL');
    await first.finished;
    await expect.poll(() => finding('AGENT_GONE'), { interval: 1000 }).toBeDefined();
    const [gone, ...others] = (await askAll(client, 'list_agents', { include_exited: true })).filter(
      ({ agent_type, status }) => agent_type === 'worker' && status !== 'OK',
    );
    expect(others).toEqual([]);
    expect((await finding('AGENT_GONE'))?.['sentence']).toContain(gone?.['agent_name']);
  });
});
