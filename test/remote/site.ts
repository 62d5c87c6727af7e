import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Answer, ask, askAll, clientOfTest, runCli, type Started, startCli, temporaryFolder } from '../helpers.ts';

export const sets = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair]);

/** Settings of a run that does not host these agents. */
export const elsewhere = (...types: string[]): string[] => sets(...types.map((type) => `agents.${type}.enabled=false`));

/** One namespace on a broker: a recorder with its store, and remote agents around it, each a process. */
export class Site {
  readonly folder: string;
  readonly namespace: string;
  readonly #broker: () => Broker;
  readonly #settings: string[];
  readonly #client: ReturnType<typeof clientOfTest>;

  constructor(
    broker: () => Broker,
    settings: string[] = [],
    namespace = `n${randomUUID().slice(0, 8)}`,
    folder = temporaryFolder(),
  ) {
    this.folder = folder;
    this.#client = clientOfTest(join(folder, 'swf.db'));
    this.#broker = broker;
    this.namespace = namespace;
    this.#settings = [...sets(`testbed.namespace=${namespace}`), ...settings];
  }

  /** An agent that works on the recorder's data folder. */
  async agent(type: string, index = 1, ...args: string[]): Promise<Started> {
    const started = this.start(
      ['agent', type, '--index', String(index), ...sets(`data.dir=${this.dataFolder}`), ...args],
      temporaryFolder(),
    );
    await started.saw(/is running in namespace/);
    return started;
  }

  /** The recorder as a service. */
  async recorder(...args: string[]): Promise<Started> {
    const started = this.start(['agent', 'daq_simulator', ...args], this.folder);
    await started.saw(/is running in namespace/);
    return started;
  }

  run(...args: string[]): Started {
    return this.start(['run', '--json', ...args], this.folder);
  }

  resume(...args: string[]): Started {
    return startCli(['resume', 'latest', '--json', ...args], { folder: this.folder, env: this.#broker().env });
  }

  control(action: string, execution = 'latest'): ReturnType<typeof runCli> {
    return runCli([action, execution], { folder: this.folder, env: this.#broker().env });
  }

  /** Requests a run from the recorder by a message, as a foreign program does. */
  async request(fast_processing: Answer, speed: number, executed_by = 'tester'): Promise<void> {
    const peer = connectByStomp(this.#broker().settings, () => {});
    onTestFinished(() => peer.close());
    await peer.connect({ once: true });
    await peer.send({
      destination: '/queue/workflow_control',
      headers: { namespace: this.namespace, persistent: 'true' },
      body: JSON.stringify({
        msg_type: 'run_workflow',
        sender: executed_by,
        executed_by,
        speed,
        params: { fast_processing },
      }),
    });
  }

  get dataFolder(): string {
    return join(this.folder, 'swf.db.data');
  }

  async ask(tool: string, args: Answer = {}): Promise<Answer> {
    return ask(await this.#client(), tool, args);
  }

  async askAll(tool: string, args: Answer = {}): Promise<Answer[]> {
    return askAll(await this.#client(), tool, args);
  }

  monitor(execution_id = 'latest'): Promise<Answer> {
    return this.ask('get_workflow_monitor', { execution_id });
  }

  async findings(): Promise<string[]> {
    return ((await this.monitor())['findings'] as Answer[]).map(({ code }) => code as string);
  }

  /** Any command of the site, in its own folder. */
  start(args: string[], folder: string, env: Record<string, string> = {}): Started {
    const [command = '', ...rest] = args;
    return startCli([command, ...rest, '--broker', this.#broker().url, ...this.#settings], {
      folder,
      env: { ...this.#broker().env, ...env },
    });
  }
}
