import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { artemisBroker, startArtemis } from '../brokers/artemis.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Answer, ask, askAll, connectStdio, refusal, startCli, temporaryFolder } from '../helpers.ts';
import { speaker } from '../observer/peers.ts';

const why = artemisBroker.missing();
if (why !== undefined) console.warn(why);

describe.skipIf(why !== undefined)('a testbed that is observed', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startArtemis('site');
  });
  afterAll(() => broker.stop());

  it('receives one command each to start and to stop a run, in its own format', async () => {
    const folder = temporaryFolder();
    const surroundings = { folder, env: { ...broker.env, SWF_MONITOR_TOKEN: 'secret' } };
    const words = ['observe', '--broker', broker.url, '--layout', 'head', '--api', '0'];
    const observer = startCli([...words, '--allow-control'], surroundings);
    const root = (await observer.saw(/stands in for swf-monitor at (\S+)\//)).replace(/\/$/, '');
    await observer.saw(/subscribed to/);
    const tell = async (method: string, path: string, body: object): Promise<Answer> =>
      (await (
        await fetch(`${root}/api/${path}`, {
          method,
          headers: { 'Content-Type': 'application/json', Authorization: 'Token secret' },
          body: JSON.stringify(body),
        })
      ).json()) as Answer;
    // Their runner: it listens to its queue, and starts the runs that are requested.
    const commands: Answer[] = [];
    const runner = await speaker(broker);
    const heard = new Promise<void>((resolve) => {
      runner.subscribe({
        id: 'runner',
        destination: '/queue/workflow_control',
        ack: 'auto',
        onMessage: ({ bytes, headers }) => {
          // A command that nobody takes must not wait for a runner that starts tomorrow.
          expect(Number(headers['expires']) - Date.now()).toBeLessThanOrEqual(30_000);
          const command = JSON.parse(bytes.toString()) as Answer;
          commands.push(command);
          const execution_id = 'stf_datataking-user-0001';
          if (command['msg_type'] === 'run_workflow')
            void tell('POST', 'workflow-executions/', { execution_id, namespace: 'epic', start_time: 'now' }).then(() =>
              tell('POST', 'run-states/', { run_number: '7', metadata: { execution_id } }),
            );
          else void tell('PATCH', `workflow-executions/${execution_id}/`, { status: 'terminated', end_time: null });
          resolve();
        },
      });
    });
    const client = await connectStdio({ folder }, '--allow-control');
    const started = await ask(client, 'start_workflow', { namespace: 'epic', stf_count: 3, speed: 'max' });
    await heard;
    expect(started).toMatchObject({ heard_as: 'stf_datataking-user-0001', asked_at: expect.any(String) });
    const { execution_id } = started;
    expect(await ask(client, 'control_workflow', { execution_id, action: 'stop' })).toMatchObject({
      effect: 'applied',
      heard_as: execution_id,
    });
    expect(await ask(client, 'get_workflow_monitor', { execution_id })).toMatchObject({
      status: 'terminated',
      told: { status: 'terminated' },
    });
    expect(commands).toMatchObject([
      {
        msg_type: 'run_workflow',
        namespace: 'epic',
        workflow_name: 'stf_datataking',
        realtime: false,
        params: { stf_count: 3 },
        source: 'swf-mcp',
      },
      { msg_type: 'stop_workflow', namespace: 'epic', execution_id },
    ]);
    expect(await refusal(client, 'control_workflow', { execution_id, action: 'pause' })).toContain('observed');
    expect(await refusal(client, 'start_workflow', { namespace: 'epic', speed: '20' })).toContain('real time');
    observer.child.kill('SIGTERM');
    expect(await observer.finished).toMatchObject({ code: 0 });
    expect(await refusal(client, 'start_workflow', { namespace: 'epic' })).toContain('--allow-control');
    await client.close();
    await runner.close();
  });

  it('receives a command only once even if it does not answer, and the result is pending for 30 s', async () => {
    const folder = temporaryFolder();
    const surroundings = { folder, env: broker.env };
    const words = ['observe', '--broker', broker.url, '--layout', 'head', '--namespace', 'quiet', '--allow-control'];
    const observer = startCli(words, surroundings);
    await observer.saw(/subscribed to/);
    const client = await connectStdio({ folder }, '--allow-control');
    const runner = await speaker(broker);
    const body = { msg_type: 'run_imminent', namespace: 'quiet', execution_id: 'theirs-0001', run_id: '9' };
    await runner.send({ destination: '/topic/epictopic', headers: {}, body: JSON.stringify(body) });
    await expect.poll(async () => (await askAll(client, 'list_workflow_executions')).length).toBe(1);
    const answer = await ask(client, 'control_workflow', { execution_id: 'latest', action: 'stop' });
    expect(answer).toMatchObject({
      effect: 'pending',
      asked_at: expect.any(String),
      not_taken_after: expect.any(String),
      sentence: expect.stringContaining('their bus does not report stops'),
    });
    expect(Date.parse(answer['not_taken_after']) - Date.parse(answer['sent_at'])).toBe(30_000);
    expect(answer).not.toHaveProperty('heard_as');
    expect(await refusal(client, 'start_workflow', { namespace: 'another' })).toContain('"another"');
    observer.child.kill('SIGTERM');
    const { stderr } = await observer.finished;
    expect(stderr.match(/was sent to \/queue\/workflow_control/g)).toHaveLength(1);
    await client.close();
    await runner.close();
  });
});
