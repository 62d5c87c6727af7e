import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { activeMq, startBroker } from '../brokers/activemq.ts';
import type { Broker } from '../brokers/broker.ts';
import { startCuttingProxy } from '../brokers/network.ts';
import { startNginx, nginxIsMissing } from '../file-servers/nginx.ts';
import { startServeFiles } from '../file-servers/serve-files.ts';
import { startXRootD, xrootdIsMissing } from '../file-servers/xrootd.ts';
import { runCli, startCli, type Started, temporaryFolder } from '../helpers.ts';
import { inProcess, outcome } from './outcome.ts';
import { elsewhere, sets, Site } from './site.ts';

const quick = sets('fast_processing.slice_processing_time=2', 'fast_processing.target_worker_count=8');
const token = 'files-of-the-testbed';

for (const why of [activeMq.missing(), nginxIsMissing(), xrootdIsMissing()]) if (why !== undefined) console.warn(why);

describe.skipIf(activeMq.missing() !== undefined)('files for agents on other hosts', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  /** A separate host: an agent with its own folder. */
  const host = async (
    here: Site,
    type: string,
    settings: string[],
    env: Record<string, string> = {},
    folder = temporaryFolder(),
  ): Promise<{ agent: Started; files: string }> => {
    const files = join(folder, 'files');
    const args = ['agent', type, ...sets(`data.dir=${files}`, ...settings)];
    const agent = here.start(args, folder, { SWF_FILES_TOKEN: token, ...env });
    await agent.saw(/is running in namespace/);
    return { agent, files };
  };
  const sources = (...urls: string[]): string => `data.sources=${JSON.stringify(urls)}`;

  it('are fetched from where they are published, and the run ends as it would in one process', async () => {
    const here = new Site(() => broker, quick);
    const daq = await startServeFiles(here.dataFolder, { token });
    const monitoring = temporaryFolder();
    const samples = await startServeFiles(join(monitoring, 'files'), { token });
    await host(here, 'data', [sources(daq.url)]);
    const fastmon = await host(here, 'fastmon', [sources(daq.url), `data.url=${samples.url}`], {}, monitoring);
    const worker = await host(here, 'worker', [sources(samples.url)]);
    const run = here.run(
      '--stf-count',
      '5',
      '--speed',
      '20',
      ...elsewhere('data', 'fastmon', 'worker'),
      ...sets(`data.url=${daq.url}`),
    );
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await outcome(here.folder)).toEqual(await inProcess(5, ...quick));
    const [execution = ''] = readdirSync(here.dataFolder).filter((name) => !name.startsWith('.'));
    const kept = (folder: string): string[] =>
      readdirSync(join(folder, execution)).filter((name) => !name.startsWith('.'));
    expect(kept(here.dataFolder).every((name) => name.endsWith('.stf'))).toBe(true);
    expect(kept(worker.files).toSorted()).toEqual(kept(fastmon.files).toSorted());
    expect(kept(worker.files)).toHaveLength(5);
    const [sample] = await here.askAll('list_messages', { message_type: 'tf_file_registered' });
    expect(sample?.['body']['file_url']).toMatch(new RegExp(`^${samples.url}/${execution}/swf\\.`));
    // Files on other hosts are neither missing nor damaged.
    expect(await runCli(['check'], { folder: here.folder })).toMatchObject({ code: 0 });
    expect(await here.ask('verify_files', { execution_id: execution })).toMatchObject({
      missing_count: 0,
      changed_count: 0,
      unreachable_count: 5,
    });
  });

  it('are read by the recorder’s own worker if a remote fastmon agent made them', async () => {
    const here = new Site(() => broker, quick);
    const daq = await startServeFiles(here.dataFolder, { token });
    const monitoring = temporaryFolder();
    const samples = await startServeFiles(join(monitoring, 'files'), { token });
    await host(here, 'fastmon', [sources(daq.url), `data.url=${samples.url}`], {}, monitoring);
    const run = here.start(
      [
        'run',
        '--json',
        '--stf-count',
        '2',
        '--speed',
        '20',
        ...elsewhere('fastmon'),
        ...sets(`data.url=${daq.url}`, sources(samples.url)),
      ],
      here.folder,
      { SWF_FILES_TOKEN: token },
    );
    expect(await run.finished).toMatchObject({ code: 0 });
    expect(await here.monitor()).toMatchObject({ slices_completed: 30, slices_failed: 0 });
  });

  it('are fetched only from data.sources and with the token; otherwise a log line says what to do', async () => {
    const here = new Site(() => broker, [...quick, ...sets('fast_processing.slices_per_sample=2')]);
    const daq = await startServeFiles(here.dataFolder, { token });
    const stranger = await host(here, 'worker', []);
    const run = here.run('--stf-count', '1', '--speed', '20', ...elsewhere('worker'), ...sets(`data.url=${daq.url}`));
    await stranger.agent.saw(
      /off duty for NO_FILE .*not in data\.sources; add it: --set 'data\.sources=\["http:\/\/127\.0\.0\.1:\d+\/"\]'/,
    );
    stranger.agent.child.kill('SIGTERM');
    await stranger.agent.finished;
    const forgetful = await host(here, 'worker', [sources(daq.url)], { SWF_FILES_TOKEN: 'wrong' });
    await forgetful.agent.saw(/off duty for NO_FILE .*requires its token \(401\); set SWF_FILES_TOKEN to it/);
    await expect.poll(() => here.findings()).toContain('NO_WORKER_FOR');
    forgetful.agent.child.kill('SIGTERM');
    await forgetful.agent.finished;
    await host(here, 'worker', [sources(daq.url)]);
    expect(await run.finished).toMatchObject({ code: 0 });
  });

  it.skipIf(nginxIsMissing() !== undefined)(
    'are fetched from nginx once per host, however many processes need them',
    async () => {
      const here = new Site(() => broker, quick);
      const server = await startNginx(here.dataFolder, token);
      const shared = temporaryFolder();
      await host(here, 'worker', [sources(server.url)], {}, shared);
      await here
        .start(
          ['agent', 'worker', '--index', '2', ...sets(`data.dir=${join(shared, 'files')}`, sources(server.url))],
          temporaryFolder(),
          { SWF_FILES_TOKEN: token },
        )
        .saw(/is running in namespace/);
      const run = here.run(
        '--stf-count',
        '4',
        '--speed',
        '20',
        ...elsewhere('worker'),
        ...sets(`data.url=${server.url}`),
      );
      expect(await run.finished).toMatchObject({ code: 0 });
      expect(await here.monitor()).toMatchObject({ slices_completed: 60, slices_failed: 0 });
      const asked = server.requests().map((line) => line.split(' ').slice(1, 4));
      expect(asked.map(([path]) => path).toSorted()).toEqual([...new Set(asked.map(([path]) => path))].toSorted());
      expect(asked).toHaveLength(4);
    },
  );

  it.skipIf(nginxIsMissing() !== undefined)(
    'are fetched from the point at which the connection broke, not from the start',
    async () => {
      const here = new Site(() => broker, [...quick, ...sets('daq_state_machine.tf_size_bytes=65536')]);
      const server = await startNginx(here.dataFolder, token);
      const cut = await startCuttingProxy(Number(new URL(server.url).port), 6, 2_000_000);
      const url = `http://127.0.0.1:${cut}`;
      const monitoring = temporaryFolder();
      const samples = await startNginx(join(monitoring, 'files'), token);
      const cutSamples = await startCuttingProxy(Number(new URL(samples.url).port), 3, 2_000_000);
      const samplesUrl = `http://127.0.0.1:${cutSamples}`;
      await host(here, 'data', [sources(url)]);
      await host(here, 'fastmon', [sources(url), `data.url=${samplesUrl}`], {}, monitoring);
      await host(here, 'worker', [sources(samplesUrl)]);
      const all = elsewhere('data', 'fastmon', 'worker');
      const run = here.run('--stf-count', '1', '--speed', '20', ...all, ...sets(`data.url=${url}`));
      const { code, stderr } = await run.finished;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(await here.monitor()).toMatchObject({ slices_completed: 15, slices_failed: 0 });
      // A sample of ten megabytes: the first request is for all of it, each later one for what was left.
      const ranges = samples.requests().map((line) => line.split(' ').slice(3).join(' '));
      expect(ranges).toHaveLength(4);
      expect(ranges[0]).toMatch(/ -$/);
      const begins = ranges.slice(1).map((range) => Number(/bytes=(\d+)-$/.exec(range)?.[1]));
      expect(begins.every((begin, at) => begin > (begins[at - 1] ?? 0))).toBe(true);
    },
  );

  it('are not made if no other host could read them, and the monitor says what is missing', async () => {
    const here = new Site(() => broker, quick);
    const daq = await startServeFiles(here.dataFolder, { token });
    const unpublished = await host(here, 'fastmon', [sources(daq.url)]);
    const run = here.run('--stf-count', '1', '--speed', '20', ...elsewhere('fastmon'), ...sets(`data.url=${daq.url}`));
    await unpublished.agent.saw(/off duty for NO_FILE .*no other host could read files made here: publish data\.dir/);
    const told = async (): Promise<unknown> =>
      ((await here.monitor())['findings'] as { code: string; sentence: string }[]).find(
        ({ code }) => code === 'UNANSWERED',
      )?.sentence;
    await expect
      .poll(told, { interval: 1000 })
      .toMatch(
        /no other host could read files made here.*\(fastmon-agent-\S+ on \S+\)\. So the fastmon agent has not responded to/,
      );
    expect(await here.control('stop')).toMatchObject({ code: 0 });
    expect(await run.finished).toMatchObject({ code: 4 });
  });

  it('that a running host has lost do not block the others, and are made again', async () => {
    const here = new Site(() => broker, [...quick, ...sets('fast_processing.slices_per_sample=2')]);
    const daq = await startServeFiles(here.dataFolder, { token });
    const monitoring = temporaryFolder();
    const samples = await startServeFiles(join(monitoring, 'files'), { token });
    const fastmon = await host(here, 'fastmon', [sources(daq.url), `data.url=${samples.url}`], {}, monitoring);
    const away = elsewhere('fastmon', 'worker');
    const run = here.run('--stf-count', '3', '--speed', '20', ...away, ...sets(`data.url=${daq.url}`));
    await expect.poll(() => here.monitor()).toMatchObject({ phase: 'completed', slices_queued: 6 });
    const [execution = ''] = readdirSync(fastmon.files);
    const names = readdirSync(join(fastmon.files, execution)).filter((name) => name.endsWith('.tf'));
    rmSync(join(fastmon.files, execution, names.toSorted()[0] ?? ''));
    const worker = await host(here, 'worker', [sources(samples.url)]);
    await worker.agent.saw(/off duty for WRONG_FILE swf\.\S+\.tf http:\S+: http:\S+ does not exist, or its checksum/);
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await here.monitor()).toMatchObject({ slices_completed: 6, slices_failed: 0 });
  });

  it.skipIf(xrootdIsMissing() !== undefined)(
    "are fetched from XRootD, over HTTPS and with XRootD's client",
    async () => {
      const here = new Site(() => broker, quick);
      const door = await startXRootD(here.dataFolder);
      const trust = { NODE_EXTRA_CA_CERTS: door.certificate };
      const monitoring = temporaryFolder();
      const samples = await startServeFiles(join(monitoring, 'files'), { token });
      await host(here, 'data', [sources(door.https)], trust);
      await host(here, 'fastmon', [sources(door.https), `data.url=${samples.url}`], trust, monitoring);
      await host(here, 'worker', [sources(samples.url)]);
      const all = elsewhere('data', 'fastmon', 'worker');
      const run = here.run('--stf-count', '3', '--speed', '20', ...all, ...sets(`data.url=${door.https}`));
      expect(await run.finished).toMatchObject({ code: 0 });
      expect(await outcome(here.folder)).toEqual(await inProcess(3, ...quick));

      const there = new Site(() => broker, quick);
      const own = await startXRootD(there.dataFolder);
      const copy = `data.fetch=${JSON.stringify(['xrdcp', '-f', '{url}', '{path}'])}`;
      const byHost = { XrdSecPROTOCOL: 'host' };
      const other = temporaryFolder();
      const published = await startServeFiles(join(other, 'files'), { token });
      await host(there, 'data', [sources(own.root), copy], byHost);
      await host(there, 'fastmon', [sources(own.root), `data.url=${published.url}`, copy], byHost, other);
      await host(there, 'worker', [sources(published.url)]);
      const second = there.run('--stf-count', '3', '--speed', '20', ...all, ...sets(`data.url=${own.root}`));
      expect(await second.finished).toMatchObject({ code: 0 });
      expect(await outcome(there.folder)).toEqual(await inProcess(3, ...quick));
    },
  );
});

describe('serve-files', () => {
  it('serves complete regular files only, to clients with the token, with ranges and strong ETags', async () => {
    const folder = temporaryFolder();
    const secret = join(temporaryFolder(), 'secret');
    writeFileSync(secret, 'secret');
    const execution = join(folder, 'stf-tester-1');
    mkdirSync(execution);
    writeFileSync(join(execution, 'a.stf'), '0123456789');
    writeFileSync(join(execution, 'b.stf.1234.part'), 'half');
    writeFileSync(join(execution, '.hidden'), 'hidden');
    symlinkSync(secret, join(execution, 'link.stf'));
    symlinkSync(join(secret, '..'), join(folder, 'linked'));
    const { url, child, finished } = await startServeFiles(folder, { token });
    const get = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
      });
      return { status: response.status, tag: response.headers.get('etag'), body: await response.text() };
    };
    const whole = await get('/stf-tester-1/a.stf');
    expect(whole).toMatchObject({ status: 200, tag: expect.stringMatching(/^"[a-z0-9-]+"$/), body: '0123456789' });
    const tag = whole.tag ?? '';
    expect(await get('/stf-tester-1/a.stf', { range: 'bytes=2-4' })).toEqual({ status: 206, tag, body: '234' });
    expect(await get('/stf-tester-1/a.stf', { range: 'bytes=2-4', 'if-range': tag })).toMatchObject({ status: 206 });
    expect(await get('/stf-tester-1/a.stf', { range: 'bytes=2-4', 'if-range': '"other"' })).toMatchObject({
      status: 200,
    });
    expect(await get('/stf-tester-1/a.stf', { range: 'bytes=10-' })).toMatchObject({ status: 416 });
    for (const path of [
      '/',
      '/stf-tester-1',
      '/stf-tester-1/',
      '/stf-tester-1/b.stf.1234.part',
      '/stf-tester-1/.hidden',
      '/stf-tester-1/link.stf',
      '/linked/secret',
      '/stf-tester-1/..%2f..%2fetc%2fpasswd',
      '/..%2f/x',
    ])
      expect({ path, ...(await get(path)) }).toMatchObject({ path, status: 404 });
    expect(await get('/stf-tester-1/a.stf', {}, 'PUT')).toMatchObject({ status: 405 });
    for (const authorization of ['', 'Bearer wrong', `Basic ${token}`])
      expect(await get('/stf-tester-1/a.stf', { authorization })).toMatchObject({ status: 401 });
    writeFileSync(join(execution, 'a.stf'), '01234567890');
    expect((await get('/stf-tester-1/a.stf')).tag).not.toBe(tag);
    const health = await fetch(`${url}/healthz`);
    expect(await health.json()).toEqual({ status: 'ok' });
    expect(health.headers.get('x-content-type-options')).toBe('nosniff');
    expect(health.headers.get('cache-control')).toBe('no-store');
    for (const path of ['/stf-tester-1/%zz', '/stf-tester-1/%c0%ae'])
      expect({ path, ...(await get(path)) }).toMatchObject({ path, status: 400, body: 'the address cannot be read\n' });
    expect(readFileSync(join(execution, 'a.stf'), 'utf8')).toBe('01234567890');
    child.kill('SIGTERM');
    expect(await finished).toMatchObject({ code: 0 });
  });

  it('requires a token if other hosts can reach it, and reports options that it cannot use', async () => {
    const folder = temporaryFolder();
    const attempt = async (args: string[], env: Record<string, string> = {}) =>
      runCli(['serve-files', ...args], { folder, env });
    expect(await attempt(['0.0.0.0:0'])).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^CONFIG_INVALID: .*needs a token; set SWF_FILES_TOKEN/),
    });
    expect(await attempt(['0'], { SWF_FILES_TOKEN: '' })).toMatchObject({ code: 78 });
    expect(await attempt(['somewhere'])).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/serve-files "somewhere" is not an address/),
    });
    expect(await attempt(['0', '--tls-cert', 'x.pem'])).toMatchObject({ code: 2 });
    const early = startCli(['serve-files', '0', ...sets('data.dir=not-there')], { folder });
    await early.saw(/WARNING \S+not-there does not exist yet/);
  });
});
