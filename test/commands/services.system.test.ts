import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { brokerIsMissing, startBroker } from '../brokers/activemq.ts';
import { type Broker, freePort } from '../brokers/broker.ts';
import {
  type Answer,
  ask,
  cliPath,
  connectInProcess,
  runCli,
  type Started,
  startCli,
  startProcess,
  temporaryFolder,
} from '../helpers.ts';
import { sets } from '../remote/site.ts';

const verifier = '/usr/bin/systemd-analyze';
const supervisor = '/usr/bin/supervisord';

/** As another user than root it cannot make its folder, which only systemd makes. */
const canVerify = existsSync('/run/systemd/system') || process.getuid?.() === 0;

const isThere = (path: string): boolean => existsSync(path) || process.env['CI'] === 'true';

describe('a service file', () => {
  const args = [
    'unit',
    'name',
    '--broker',
    'stomp://h:61613',
    ...sets('testbed.namespace=mine', 'worker.payload=["/bin/a b","50%","$x"]'),
  ];

  it.skipIf(!isThere(verifier) || !canVerify).each([[[]], [['--user']]])(
    'with options %j is accepted by systemd',
    async (more) => {
      const folder = temporaryFolder();
      const { code, stdout } = await runCli([...args, ...more], { folder });
      expect(code).toBe(0);
      writeFileSync(join(folder, 'swf.service'), stdout);
      const { status, stderr } = spawnSync(verifier, ['verify', join(folder, 'swf.service')], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(
        /^ExecStart=.* up name --broker stomp:\/\/h:61613 --set testbed\.namespace=mine --set "worker\.payload=\[\\"\/bin\/a b\\",\\"50%%\\",\\"\$\$x\\"\]"$/m,
      );
      expect(stdout).toMatch(/^RestartPreventExitStatus=2 78$/m);
    },
  );
});

const missing = brokerIsMissing();

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(missing !== undefined)('agents as services', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  const start = (folder: string, ...args: string[]): Started =>
    startCli([...args, '--broker', broker.url], { folder, env: broker.env });

  const agents = async (folder: string): Promise<Answer[]> =>
    (await ask(await connectInProcess(join(folder, 'swf.db')), 'list_agents'))['items'] as Answer[];

  it('are started by one command, restarted when they exit, and stopped with that command', async () => {
    const folder = temporaryFolder();
    const common = sets('testbed.namespace=up', 'agents.worker.count=2', 'fast_processing.target_worker_count=2');
    const up = start(folder, 'up', ...common);
    for (const name of ['daq_simulator', 'data', 'fastmon', 'worker'])
      expect(await start(folder, 'ready', name, '--wait', '20', ...common).finished).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(new RegExp(`^${name}-agent-tester-\\d+ is ready\n$`)),
      });
    await expect
      .poll(async () => (await agents(folder)).map(({ agent_type }) => agent_type).toSorted())
      .toEqual(['daq_simulator', 'data', 'fast_processing', 'fastmon', 'worker', 'worker']);
    const [worker] = (await agents(folder)).filter(({ agent_type }) => agent_type === 'worker');
    process.kill(worker?.['pid'] as number, 'SIGKILL');
    await up.saw(/worker \d was killed by SIGKILL; restarting in 1 s/);
    const pids = async (): Promise<unknown[]> => (await agents(folder)).map(({ pid }) => pid);
    await expect.poll(pids).not.toContain(worker?.['pid']);
    expect(await agents(folder)).toHaveLength(6);
    const told = async (): Promise<unknown> =>
      (
        await ask(await connectInProcess(join(folder, 'swf.db')), 'list_logs', { search: 'has started under the name' })
      )['items'];
    expect(await told()).toMatchObject([{ agent: worker?.['agent_name'], level: 'WARNING' }]);
    up.child.kill('SIGTERM');
    expect(await up.finished).toMatchObject({ code: 0 });
    expect(await agents(folder)).toEqual([]);
  });

  it('accept requests from a command, even requests sent before the agents started', async () => {
    const folder = temporaryFolder();
    const common = sets(
      'testbed.namespace=up4',
      'fast_processing.stf_count=2',
      'fast_processing.slice_processing_time=1',
    );
    const early = await start(temporaryFolder(), 'request', '--speed', '20', ...common).finished;
    expect(early).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^WARNING no recorder service for namespace up4 has been heard from/m),
    });
    start(folder, 'up', ...sets('testbed.namespace=up4'));
    await start(folder, 'ready', 'daq_simulator', ...sets('testbed.namespace=up4')).finished;
    const asked = await start(temporaryFolder(), 'request', '--speed', '20', ...common).finished;
    expect(asked).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/daq_simulator-agent-tester-\d+ handles it/),
    });
    const ended = async (): Promise<unknown> => {
      const { items } = await ask(await connectInProcess(join(folder, 'swf.db')), 'list_workflow_executions');
      return (items as Answer[]).map(({ status, slices_completed }) => [status, slices_completed]);
    };
    await expect.poll(ended).toEqual([
      ['completed', 30],
      ['completed', 30],
    ]);
  });

  it('get no requests while a run is recording the namespace', async () => {
    const common = sets('testbed.namespace=up7');
    const run = start(temporaryFolder(), 'run', ...common);
    await run.saw(/run_imminent/);
    expect(await start(temporaryFolder(), 'request', ...common).finished).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^EXECUTION_IN_USE: .* namespace up7 is being recorded by run stf_datataking-tester-\d+/,
      ),
    });
    run.child.kill('SIGINT');
    expect(await run.finished).toMatchObject({ code: 130 });
  });

  it('are not restarted if they would fail again, and the command exits with the reason', async () => {
    const folder = temporaryFolder();
    const args = ['up', '--broker', broker.url, ...sets('testbed.namespace=up3', 'agents.worker.count=2')];
    const { code, stderr } = await runCli(args, { folder, env: { ACTIVEMQ_USER: 'swf', ACTIVEMQ_PASSWORD: 'wrong' } });
    expect({ code, stderr }).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^CONFIG_INVALID: /m),
    });
    expect(stderr).toMatch(/^worker 2: BROKER_REFUSED: /m);
    expect(stderr.match(/has ended with exit code 78; a restart will not help/g)).toHaveLength(5);
  });

  it('wait for agents of the same name that are still working, and do not mark them as exited', async () => {
    const folder = temporaryFolder();
    const common = sets('testbed.namespace=up5', 'agents.data.enabled=false', 'agents.fastmon.enabled=false');
    const before = start(temporaryFolder(), 'agent', 'worker', ...common);
    await before.saw(/is running in namespace/);
    const up = start(folder, 'up', ...common);
    // Lines of other agents may stand between these.
    await up.saw(/worker 1: AGENT_IN_USE: /);
    await up.saw(/worker 1 has ended with exit code 75; restarting in 1 s/);
    const workers = async (): Promise<unknown[]> =>
      (await agents(folder)).filter(({ agent_type }) => agent_type === 'worker').map(({ pid, state }) => [pid, state]);
    await expect.poll(workers).toEqual([[before.child.pid, 'READY']]);
    before.child.kill('SIGTERM');
    expect(await before.finished).toMatchObject({ code: 0 });
    await expect.poll(workers).toEqual([[expect.any(Number), 'READY']]);
    up.child.kill('SIGTERM');
    expect(await up.finished).toMatchObject({ code: 0 });
  });

  it('serve metrics on consecutive ports, and the unit file has the port and the stop timeout', async () => {
    const folder = temporaryFolder();
    const port = await freePort();
    const common = sets('testbed.namespace=up6', 'agents.data.enabled=false', 'agents.fastmon.enabled=false');
    const up = start(folder, 'up', '--metrics', String(port), ...common);
    await up.saw(/worker 1: .* is running in namespace/);
    // The worker may work before the recorder has finished listening.
    await up.saw(/daq_simulator 1: .* is running in namespace/);
    for (const at of [port, port + 1])
      expect(await (await fetch(`http://127.0.0.1:${at}/metrics`)).text()).toMatch(/^swf_broker_connected 1$/m);
    const { stdout } = await start(folder, 'unit', '--metrics', '9000', ...sets('worker.timeout_seconds=7200'))
      .finished;
    expect(stdout).toMatch(/^ExecStart=.* --metrics 9000$/m);
    expect(stdout).toMatch(/^TimeoutStopSec=7230$/m);
    expect(await start(folder, 'up', '--metrics', '65535', ...common).finished).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^CONFIG_INVALID: --metrics 65535 cannot give each agent a port: 2 are needed/),
    });
  });

  it('exit when the command that runs them is killed', async () => {
    const folder = temporaryFolder();
    const up = start(folder, 'up', ...sets('testbed.namespace=up2', 'agents.data.enabled=false'));
    await expect
      .poll(() =>
        agents(folder).then(
          (all) => all.length,
          () => 0,
        ),
      )
      .toBe(4);
    const pids = (await agents(folder)).map(({ pid }) => pid as number);
    up.child.kill('SIGKILL');
    await expect.poll(() => pids.filter(isRunning)).toEqual([]);
  });

  it('that do not report in time are named', async () => {
    const folder = temporaryFolder();
    const args = ['ready', 'worker', '--wait', '1', ...sets('testbed.namespace=nobody')];
    expect(await start(folder, ...args).finished).toMatchObject({
      code: 1,
      stderr: 'nothing was heard from worker in namespace nobody within 1 s\n',
    });
  });

  it.skipIf(!isThere(supervisor))('run under supervisord with the printed file, and restart after a kill', async () => {
    const folder = temporaryFolder();
    const common = [
      ...sets('testbed.namespace=supervised', 'fast_processing.target_worker_count=2'),
      '--broker',
      broker.url,
    ];
    const { stdout } = await runCli(['unit', '--supervisor', ...common], { folder });
    const environment = Object.entries({ ...broker.env, SWF_USER: 'tester' }).map(
      ([name, value]) => `${name}="${value}"`,
    );
    const control = `[supervisord]\nnodaemon=true\nuser=${process.getuid?.() === 0 ? 'root' : (process.env['USER'] ?? '')}\nlogfile=${folder}/supervisord.log\npidfile=${folder}/pid\n\n`;
    writeFileSync(join(folder, 'supervisord.conf'), `${control}${stdout}environment=${environment.join(',')}\n`);
    const supervised = startProcess(supervisor, ['-c', join(folder, 'supervisord.conf')], { folder });
    const ready = () =>
      start(folder, 'ready', 'worker', '--wait', '30', ...sets('testbed.namespace=supervised')).finished;
    expect(await ready()).toMatchObject({ code: 0 });
    const pattern = `${cliPath} --db ${join(folder, 'swf.db')} up`;
    const pids = (): string[] => spawnSync('pgrep', ['-f', pattern], { encoding: 'utf8' }).stdout.trim().split('\n');
    const [first = ''] = pids();
    process.kill(Number(first), 'SIGKILL');
    await expect.poll(() => pids().filter((pid) => pid !== '' && pid !== first).length).toBeGreaterThan(0);
    supervised.child.kill('SIGTERM');
    await supervised.finished;
  });
});
