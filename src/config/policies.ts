import type { Speed } from '../domain/params.ts';
import { configInvalid } from '../lib/errors.ts';
import type { Config } from './schema.ts';

/** Rules that go beyond single keys. Each throws `CONFIG_INVALID`. */

/** @param originOf the file or flag that a dotted key came from */
export function requireConsistent(config: Config, originOf: (dottedKey: string) => string) {
  const { fast_processing, daq_state_machine: daq, worker, data } = config;
  if (fast_processing.stf_count === 0 && daq.stf_interval + daq.stf_generation_time === 0)
    throw configInvalid(
      'fast_processing.stf_count = 0 makes as many STFs as fit in a period, which never ends when stf_interval and stf_generation_time are 0; set one of them',
    );
  if (worker.payload !== undefined && !data.write_files)
    throw configInvalid(
      `${originOf('worker.payload')}: worker.payload needs files, but data.write_files = false; change one of the two`,
    );
}

/**
 * On a shared broker, the shipped configuration's namespace isolates no one: everyone who has not chosen a
 * namespace uses it.
 */
export function requireOwnNamespace({ config, isOwnNamespace }: { config: Config; isOwnNamespace: boolean }) {
  if (isOwnNamespace) return;
  throw configInvalid(
    `testbed.namespace = "${config.testbed.namespace}" is the shipped one; over a broker, set your own with --set testbed.namespace=NAME, or use your own file`,
  );
}

/** Without a broker, the work of an agent that is not started is never done. */
export function requireEveryAgent({ agents }: Config) {
  for (const [type, { enabled }] of Object.entries(agents)) {
    if (enabled) continue;
    throw configInvalid(
      `agents.${type}.enabled = false: without a broker nothing else does the work of the ${type} agent; enable it`,
    );
  }
}

/** Fast processing's messages depend on the whole log, which only the recorder has. */
export function requireRecorderAgents({ agents }: Config) {
  if (agents.fast_processing.enabled) return;
  throw configInvalid(
    'agents.fast_processing.enabled = false: fast_processing always runs in the process of the run or the recorder; enable it',
  );
}

/**
 * Virtual time jumps ahead when no agent in this process is working, but agents in other processes could still
 * be working.
 */
export function requireRealTime(speed: Speed) {
  if (speed !== 'max') return;
  throw configInvalid('speed max needs every agent in one process; over a broker, give a number, such as --speed 20');
}
