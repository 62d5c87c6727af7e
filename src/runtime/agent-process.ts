import type { Agent } from '../agents/agent.ts';
import { consumeLog } from '../agents/log-consumer.ts';
import { readingAgents } from '../agents/registry.ts';
import { runningOverBroker } from '../db/execution/start-message.ts';
import type { AgentType } from '../domain/states.ts';
import { SwfError } from '../lib/errors.ts';
import { watchAbandonedSlices } from './abandoned-slices.ts';
import { AttachedExecutions } from './attached-executions.ts';
import { workOnQueue } from './execution-tasks.ts';
import { type BrokerChoice, Host, type HostOptions } from './host.ts';
import { supervise, type Task } from './supervisor.ts';

/**
 * An agent as a process of its own. It works on every execution of its namespace that runs over the broker, until it is told to stop.
 */
export interface AgentOptions extends HostOptions {
  broker: BrokerChoice;
  type: Exclude<AgentType, 'daq_simulator'>;
  /** Aborted when it is told to stop; it may still be waiting for its broker then. */
  interrupted: AbortSignal;
}

export interface RunningAgent {
  name: string;
  /** Resolves when the agent has stopped; rejects when it cannot go on. */
  done: Promise<void>;
  /** Finishes the work in hand and stops. */
  stop(): void;
}

/** Throws `STORE_…` and `BROKER_REFUSED` before it works. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const host = await Host.enterAgent(options, options.type, options.interrupted);
  return new AgentProcess(host, options.type);
}

class AgentProcess implements RunningAgent {
  readonly name: string;
  readonly done: Promise<void>;
  readonly #host: Host;
  readonly #attached: AttachedExecutions;
  /** Executions that are read. One that the agent has given up on stays here until it has ended: each news would start it anew otherwise. */
  readonly #reading = new Map<string, Promise<unknown>>();

  constructor(host: Host, type: AgentOptions['type']) {
    this.name = host.nameOf(type);
    this.#host = host;
    this.#attached = new AttachedExecutions(host);
    this.done = this.#work(type);
  }

  stop(): void {
    this.#host.lifetime.drain();
  }

  async #work(type: AgentOptions['type']): Promise<void> {
    const { heartbeat, lifetime } = this.#host;
    heartbeat.start();
    try {
      const agent = readingAgents.find((candidate) => candidate.type === type);
      await (agent === undefined ? this.#workOnQueue() : this.#readEverything(agent));
      lifetime.throwFault();
    } finally {
      lifetime.stop();
      this.#attached.close();
      await this.#host.close();
    }
  }

  #workOnQueue(): Promise<void> {
    const { lifetime, options } = this.#host;
    return workOnQueue(this.#host, {
      name: this.name,
      slots: options.config.fast_processing.target_worker_count,
      workFor: (slice) => this.#attached.workFor(slice),
      draining: lifetime.draining,
    });
  }

  /** Reads the log of every execution that runs over the broker; a new one is found by the news that it makes. */
  async #readEverything(agent: Agent): Promise<void> {
    const { store, options, brokerSession, lifetime } = this.#host;
    while (!lifetime.draining.aborted) {
      for (const executionId of runningOverBroker(store.sql, options.config.testbed.namespace))
        if (!this.#reading.has(executionId)) this.#reading.set(executionId, this.#beginReading(agent, executionId));
      await brokerSession.notifier.news(lifetime.draining);
    }
    await Promise.all(this.#reading.values());
  }

  #beginReading(agent: Agent, executionId: string): Promise<unknown> {
    try {
      return this.#read(agent, executionId);
    } catch (error) {
      if (!(error instanceof SwfError)) throw error;
      // Its recorded configuration cannot be used here; the others can.
      this.#host.options.log.write({ level: 'WARNING', message: `${executionId} is left alone: ${error.line}` });
      return Promise.resolve();
    }
  }

  #read(agent: Agent, executionId: string): Promise<unknown> {
    const { lifetime, store } = this.#host;
    const attached = this.#attached.of(executionId);
    const ended = attached.lifetime.stopped;
    ended.addEventListener('abort', () => this.#reading.delete(executionId), { once: true });
    // Told to stop, the process finishes the message in hand; it does not read to the end of the log.
    const stopped = AbortSignal.any([lifetime.draining, ended]);
    const execution = { ...attached.execution, lifetime: { draining: stopped, stopped } };
    const tasks: Task[] = [{ name: this.name, work: () => consumeLog(agent, this.name, execution) }];
    if (agent.type === 'fast_processing')
      tasks.push({ name: this.name, work: () => watchAbandonedSlices(store, this.name, execution) });
    return Promise.all(tasks.map((task) => supervise(task, execution, (error) => lifetime.fail(error))));
  }
}
