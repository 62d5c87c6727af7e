import { once, setMaxListeners } from 'node:events';

import { requireBroker } from '../../config/broker.ts';
import { requireOwnNamespace, requireRecorderAgents } from '../../config/policies.ts';
import type { Config } from '../../config/schema.ts';
import { pause } from '../../lib/deadline.ts';
import { backoff } from '../../lib/duration.ts';
import { configInvalid, SwfError } from '../../lib/errors.ts';
import { configOf } from '../shared/configured.ts';
import { type BrokerFlags, exitCodes, type Io, wordsOfFlags } from '../shared/io.ts';
import { asService, tellReady } from '../shared/service-manager.ts';

interface UpArguments extends BrokerFlags {
  /** Where the first agent serves its metrics, [HOST:]PORT; the other agents use the ports after it. */
  metrics?: string;
  /** The layout of the topics for an observer, or `none`; if undefined, no observer runs. */
  observe?: string;
  /** Whether to run a watcher for alarms too, and the program that it notifies. */
  watch: boolean;
  notify?: string;
}

/** The pause before an ended agent is restarted, in milliseconds; it doubles each time. */
const pauses = { first: 1000, longest: 60_000 };

/**
 * If an agent ends after working for at least this long, in milliseconds, the pause before its restart is short
 * again.
 */
const steadyMilliseconds = 60_000;

/**
 * `swf-mcp up`: runs all agents that the configuration assigns to this host, and an observer and a watcher if
 * requested, each as a process that is restarted when it ends. Returns the exit code.
 */
export function upCommand(io: Io, args: UpArguments) {
  const finishing = 'the agents are finishing work in progress';
  return asService(io, (stopping) => runAgents(io, args, stopping), { finishing });
}

async function runAgents(io: Io, args: UpArguments, stopping: AbortSignal) {
  const loaded = configOf(io, args);
  for (const warning of loaded.warnings) io.err(`WARNING ${warning}`);
  requireBroker('up', args.broker, loaded.config.broker, io.env);
  const agents = agentsOf(loaded.config);
  // An observer alone needs no namespace.
  if (agents.length > 0) requireOwnNamespace(loaded);
  requireRecorderAgents(loaded.config);
  const wanted = [
    ...withMetrics([...agents, ...(args.observe === undefined ? [] : [observerOf(args.observe)])], args.metrics),
    ...(args.watch ? [watcherOf(args.notify)] : []),
  ];
  if (wanted.length === 0)
    throw configInvalid(
      'every agent has enabled = false, so there is nothing to run; enable the agents of this host, or give --observe',
    );
  // Every agent adds a listener, which Node would report as a leak.
  setMaxListeners(0, stopping);
  const common = wordsOfFlags({ db: io.db, config: args.config, set: args.sets });
  const ofBroker = wordsOfFlags({ broker: args.broker });
  const keep = (some: readonly Wanted[], signal: AbortSignal) =>
    Promise.all(some.map((one) => keepUp(io, one, [...common, ...(one.isOfStore === true ? [] : ofBroker)], signal)));
  tellReady(io);
  // The recorder ends last: it records the results of the work in hand, and the ends of the other agents.
  const [recorders, others] = [wanted.filter(isRecorder), wanted.filter((agent) => !isRecorder(agent))];
  const othersAreDone = new AbortController();
  const recording = keep(recorders, othersAreDone.signal);
  const working = keep(others, stopping);
  await Promise.race([Promise.all([working, recording]), once(stopping, 'abort')]);
  if (!stopping.aborted) {
    const codes = [...(await working), ...(await recording)];
    if (codes.every((code) => code === 'NAMESPACE_IN_USE'))
      throw new SwfError('NAMESPACE_IN_USE', 'no agent can work in this namespace: see the lines above');
    throw configInvalid('no agent can work with these settings; fix what the lines above report');
  }
  await working;
  othersAreDone.abort();
  await recording;
}

interface Wanted {
  /** The prefix of the process's lines. */
  label: string;
  /** The command that runs the process, and its arguments. */
  words: readonly string[];
  /** Whether the process works only on the store, without a broker. */
  isOfStore?: true;
}

/** Gives each agent its own port, in the order in which agents are started. */
function withMetrics(agents: readonly Wanted[], metrics: string | undefined) {
  if (metrics === undefined) return [...agents];
  const [, host = '', first = ''] = /^(.*:)?(\d{1,5})$/.exec(metrics) ?? [];
  const port = Number(first);
  if (first === '' || port === 0 || port + agents.length - 1 > 65_535)
    throw configInvalid(
      `--metrics ${metrics} cannot give each agent a port: ${agents.length} are needed; give the first of them as [HOST:]PORT`,
    );
  return agents.map(({ words, ...agent }, at) => ({ ...agent, words: [...words, '--metrics', `${host}${port + at}`] }));
}

const isRecorder = ({ words: [, type] }: Wanted) => type === 'daq_simulator';

const agentOf = (type: string, index: number): Wanted => ({
  label: `${type} ${index}`,
  words: ['agent', type, '--index', String(index)],
});

const observerOf = (layout: string): Wanted => ({
  label: 'observer',
  words: ['observe', ...wordsOfFlags({ layout: layout === 'none' ? undefined : layout })],
});

const watcherOf = (notify: string | undefined): Wanted => ({
  label: 'watch',
  words: ['watch', ...wordsOfFlags({ notify })],
  isOfStore: true,
});

/** The agents of this host, each with its index. */
function agentsOf({ agents }: Config): Wanted[] {
  const recorder = agents.daq_simulator.enabled ? [agentOf('daq_simulator', 1)] : [];
  const others = (['data', 'fastmon', 'worker'] as const).flatMap((type) => {
    const { enabled, count } = agents[type];
    return Array.from({ length: enabled ? count : 0 }, (_, index) => agentOf(type, index + 1));
  });
  return [...recorder, ...others];
}

/** Restarts an agent until it must stop. If no restart helps, resolves with the agent's error code. */
async function keepUp(io: Io, { label, words: command }: Wanted, common: readonly string[], stopping: AbortSignal) {
  const args = [...command, '--until-parent-ends', ...common];
  let failures = 0;
  // Once an agent has worked, the namespace is ours, and the agent that replaces it need not listen for other
  // programs.
  let hasWorked = false;
  let lastCode: string | undefined;
  for (;;) {
    const began = performance.now();
    const child = await io.spawnSelf(
      hasWorked && command[0] === 'agent' ? [...args, '--set', 'broker.listen_seconds=0'] : args,
    );
    // Without a prefix, identical lines from several agents could not be told apart.
    child.onLine((line) => {
      // In a refusal, an error code precedes this text.
      hasWorked ||= /^\S+ is running in namespace /.test(line);
      lastCode = /^([A-Z]+_[A-Z_]+): /.exec(line)?.[1] ?? lastCode;
      io.err(`${label}: ${line}`);
    });
    stopping.addEventListener('abort', child.stop);
    if (stopping.aborted) child.stop();
    const { words, code } = await child.ended;
    stopping.removeEventListener('abort', child.stop);
    if (stopping.aborted) return undefined;
    if (code === exitCodes.lasting) {
      io.err(`${label} ${words}; a restart will not help. Fix the cause, then start "swf-mcp up" again`);
      return lastCode;
    }
    failures = performance.now() - began > steadyMilliseconds ? 1 : failures + 1;
    const wait = backoff(failures, pauses);
    io.err(`${label} ${words}; restarting in ${wait / 1000} s`);
    await pause(wait, [stopping]);
    if (stopping.aborted) return undefined;
  }
}
