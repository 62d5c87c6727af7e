import { join } from 'node:path';

import type { Broker, BrokerKind } from '../brokers/broker.ts';
import { type Answer, ask, askAll, connectInProcess, runCli, shiftedClock, type Started } from '../helpers.ts';
import { sets } from '../remote/site.ts';
import { type Host, Hosts } from './hosts.ts';

const token = 'files-of-the-testbed';
const filesPort = 8090;

/** A namespace over hosts that share nothing: broker, recorder, monitoring (data and fastmon), and two for workers. */
export class NetworkSite {
  readonly hosts: Hosts;
  readonly broker: Broker;
  readonly #settings: string[];

  private constructor(hosts: Hosts, broker: Broker, settings: string[]) {
    this.hosts = hosts;
    this.broker = broker;
    this.#settings = settings;
  }

  static async open({ start }: BrokerKind, settings: string[]): Promise<NetworkSite> {
    const hosts = new Hosts(['broker', 'recorder', 'monitoring', 'one', 'two']);
    try {
      const at = hosts.host('broker');
      const broker = await start({ address: at.address, within: (command, args) => at.within(command, args) });
      return new NetworkSite(hosts, broker, settings);
    } catch (error) {
      hosts.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.broker.stop();
    this.hosts.close();
  }

  get recorder(): Host {
    return this.hosts.host('recorder');
  }

  /** The recorder as a service, and its files. */
  async startRecorder(shift = 0): Promise<Started> {
    const host = this.recorder;
    await this.#serveFiles(host);
    const started = this.#agent(host, ['daq_simulator', ...sets(`data.url=${urlOf(host)}`)], shift);
    await started.saw(/is running in namespace/);
    return started;
  }

  /** The data and fastmon agents, and a file server for the samples. */
  async startMonitoring(shift = 0, name = 'monitoring', types = ['data', 'fastmon']): Promise<void> {
    const host = this.hosts.host(name);
    await this.#serveFiles(host);
    const sources = `data.sources=${JSON.stringify([urlOf(this.recorder), urlOf(host)])}`;
    const agents = types.map((type) => this.#agent(host, [type, ...sets(sources, `data.url=${urlOf(host)}`)], shift));
    for (const agent of agents) await agent.saw(/is running in namespace/);
  }

  /** @param via the address of the broker, if it is another one */
  async startWorker(
    name: 'one' | 'two',
    { shift = 0, via, args = [] }: { shift?: number; via?: string; args?: string[] } = {},
  ): Promise<Started> {
    const host = this.hosts.host(name);
    const sources = `data.sources=${JSON.stringify(['monitoring', 'two'].map((each) => urlOf(this.hosts.host(each))))}`;
    const started = this.#agent(host, ['worker', ...sets(sources), ...args], shift, via);
    await started.saw(/is running in namespace/);
    return started;
  }

  /** Requests a run from the recorder. */
  async request(fast_processing: Answer, speed: number): Promise<void> {
    const { connectByStomp } = await import('../../src/broker/stomp-connection.ts');
    const peer = connectByStomp(this.broker.settings, () => {});
    await peer.connect({ once: true });
    await peer.send({
      destination: '/queue/workflow_control',
      headers: { namespace: 'networks', persistent: 'true' },
      body: JSON.stringify({
        msg_type: 'run_workflow',
        sender: 'tester',
        executed_by: 'tester',
        speed,
        params: { fast_processing },
      }),
    });
    await peer.close();
  }

  async monitor(): Promise<Answer> {
    return ask(await connectInProcess(join(this.recorder.folder, 'swf.db')), 'get_workflow_monitor', {
      execution_id: 'latest',
    });
  }

  async findings(): Promise<string[]> {
    return ((await this.monitor())['findings'] as Answer[]).map(({ code }) => code as string);
  }

  async askAll(tool: string, args: Answer = {}): Promise<Answer[]> {
    return askAll(await connectInProcess(join(this.recorder.folder, 'swf.db')), tool, args);
  }

  check(...args: string[]): ReturnType<typeof runCli> {
    return runCli(['check', ...args], { folder: this.recorder.folder });
  }

  #agent(host: Host, [type = '', ...args]: string[], shift: number, via = this.broker.url): Started {
    const common = sets('testbed.namespace=networks', `data.dir=${join(host.folder, 'files')}`, ...this.#settings);
    const clock: Record<string, string> = shift === 0 ? {} : { NODE_OPTIONS: shiftedClock(shift) };
    return host.start(['agent', type, '--broker', via, ...common, ...args], {
      ...this.broker.env,
      SWF_FILES_TOKEN: token,
      ...clock,
    });
  }

  async #serveFiles(host: Host): Promise<void> {
    const address = `${host.address}:${filesPort}`;
    const server = host.start(['serve-files', address, ...sets(`data.dir=${join(host.folder, 'files')}`)], {
      SWF_FILES_TOKEN: token,
    });
    await server.saw(/files in .* at /);
  }
}

const urlOf = ({ address }: Host): string => `http://${address}:${filesPort}`;
