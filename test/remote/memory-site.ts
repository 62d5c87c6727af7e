import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import type { Connect } from '../../src/broker/connection.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import type { Store } from '../../src/db/opening/store.ts';
import type { Action } from '../../src/domain/states.ts';
import { destinations } from '../../src/messages/destinations.ts';
import type { RunningAgent } from '../../src/remote/part.ts';
import { type RemoteOptions, startRemoteAgent } from '../../src/remote/remote-process.ts';
import { recordCommand } from '../../src/runtime/commands.ts';
import { startDaqAgent } from '../../src/runtime/daq-process.ts';
import { type RunningExecution, startExecution } from '../../src/runtime/start-execution.ts';
import type { MemoryBroker } from '../brokers/memory-broker.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';
import { type Answer, ask, askAll, clientOfTest, temporaryFolder } from '../helpers.ts';

/** Sections of a configuration. */
type Given = Record<string, object>;

const speed = 50;

/** The recorder of one namespace and remote agents around it, all in this process, on a broker in memory. */
export class MemorySite {
  readonly namespace: string;
  readonly folder = temporaryFolder();
  readonly lines: string[] = [];
  /** How long its processes listen for foreign programs. */
  listenSeconds = 0;
  readonly #broker: MemoryBroker;
  readonly #given: Given;
  readonly #store: Promise<Store>;
  readonly #client = clientOfTest(join(this.folder, 'swf.db'));

  constructor(broker: MemoryBroker, given: Given = {}, namespace = `n${randomUUID().slice(0, 8)}`) {
    this.#broker = broker;
    this.#given = given;
    this.namespace = namespace;
    this.#store = openStore(join(this.folder, 'swf.db'));
    onTestFinished(async () => (await this.#store).close());
  }

  /** A run that does not host these agents. */
  async run(
    stf_count: number,
    elsewhere: string[] = ['data', 'fastmon', 'worker'],
    more: Given = {},
  ): Promise<RunningExecution> {
    const agents = Object.fromEntries(elsewhere.map((type) => [type, { enabled: false }]));
    const config = this.#config({ agents, fast_processing: { stf_count }, ...more });
    const run = await startExecution({ ...(await this.#common()), config, user: 'tester' }, { speed });
    let isOver = false;
    const end = run.done.catch(() => {}).then(() => (isOver = true));
    // If a test fails midway, the store must not be closed while the run uses it.
    onTestFinished(async () => {
      if (!isOver) await run.stop('the test is over');
      await end;
    });
    return run;
  }

  async recorder(): Promise<RunningAgent> {
    const config = this.#config();
    const interrupted = new AbortController().signal;
    const sources = { name: undefined, workingFolder: this.folder, shippedFolder: 'workflows', testbedFile: undefined };
    const options = {
      ...(await this.#common()),
      config,
      user: 'tester',
      interrupted,
      sources,
      asRecorded: (of: Config) => ({ ...of, data: config.data }),
    };
    return this.#untilEnd(await startDaqAgent(options));
  }

  async agent(type: RemoteOptions['type'], index = 1, more: Given = {}): Promise<RunningAgent> {
    return this.#untilEnd(await this.startAgent(type, index, more));
  }

  /** The same, but the caller has to end it. */
  async startAgent(type: RemoteOptions['type'], index = 1, more: Given = {}): Promise<RunningAgent> {
    const config = this.#config(more);
    const { log, logLevel, version, environment, broker } = await this.#common();
    const options: RemoteOptions = {
      type,
      index,
      user: 'tester',
      version,
      namespace: this.namespace,
      destinations: config.broker.destinations,
      broker,
      params: { ...config, speed: 1 },
      log,
      logLevel,
      environment,
      onStep: () => {},
      interrupted: new AbortController().signal,
    };
    return startRemoteAgent(options);
  }

  async command(action: Action): Promise<void> {
    // As from another process: a store does not notice its own writes when it polls the file.
    const other = await openStore(join(this.folder, 'swf.db'));
    await recordCommand(other, 'latest', { action, by: { name: 'tester' } });
    other.close();
  }

  /** Sends a message on the broker as a foreign program. */
  async say(destination: string, body: object): Promise<void> {
    const peer = this.#connect({ servers: [], heartbeatSeconds: 1 }, () => {});
    await peer.connect({ once: true });
    await peer.send({ destination, headers: { namespace: this.namespace }, body: JSON.stringify(body) });
    await peer.close();
  }

  async ask(tool: string, args: Answer = {}): Promise<Answer> {
    return ask(await this.#client(), tool, args);
  }

  async askAll(tool: string, args: Answer = {}): Promise<Answer[]> {
    return askAll(await this.#client(), tool, args);
  }

  monitor(): Promise<Answer> {
    return this.ask('get_workflow_monitor', { execution_id: 'latest' });
  }

  readonly #connect: Connect = (settings, onTrouble) => connectToMemory(this.#broker)(settings, onTrouble);

  #untilEnd(agent: RunningAgent): RunningAgent {
    onTestFinished(async () => {
      agent.stop();
      await agent.done;
    });
    return agent;
  }

  #config(more: Given = {}): Config {
    const sections = [...new Set([...Object.keys(this.#given), ...Object.keys(more)])];
    const merged = Object.fromEntries(sections.map((name) => [name, { ...this.#given[name], ...more[name] }]));
    return configSchema.parse({
      testbed: { namespace: this.namespace },
      ...merged,
      data: { dir: join(this.folder, 'data'), ...merged['data'] },
    });
  }

  async #common() {
    return {
      store: await this.#store,
      version: '0',
      logLevel: 'INFO' as const,
      log: {
        write: ({ level, message }: { level: string; message: string }) =>
          void (level === 'INFO' || this.lines.push(message)),
      },
      environment: { PATH: process.env['PATH'] },
      broker: {
        settings: { servers: [], heartbeatSeconds: 1 },
        connect: this.#connect,
        listening: {
          broadcast: destinations.broadcast,
          layout: [],
          sharedQueues: [],
          seconds: this.listenSeconds,
          say: () => {},
        },
      },
    };
  }
}
