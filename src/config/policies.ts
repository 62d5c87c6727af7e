import type { Speed } from '../domain/params.ts';
import { configInvalid } from '../lib/errors.ts';
import type { Config } from './schema.ts';

/** Rules beyond a single key. Each throws `CONFIG_INVALID`. */

/** @param originOf the file or flag that a dotted key came from */
export function requireConsistent(config: Config, originOf: (dottedKey: string) => string) {
  const { fast_processing, daq_state_machine: daq, worker, data } = config;
  if (fast_processing.stf_count === 0 && daq.stf_interval + daq.stf_generation_time === 0)
    throw configInvalid(
      'fast_processing.stf_count = 0 makes as many STFs as fit in a period, which never ends when stf_interval and stf_generation_time are 0; set one of them',
    );
  if (worker.payload !== undefined && !data.write_files)
    throw configInvalid(
      `${originOf('worker.payload')}: worker.payload needs the files that data.write_files = false does not write; leave out one of them`,
    );
}

/**
 * On a shared broker the shipped file's namespace isolates no one: all users who chose none of their own
 * share it.
 */
export function requireOwnNamespace({ config, isOwnNamespace }: { config: Config; isOwnNamespace: boolean }) {
  if (isOwnNamespace) return;
  throw configInvalid(
    `testbed.namespace = "${config.testbed.namespace}" is the shipped one; over a broker, set your own with --set testbed.namespace=NAME, or use your own file`,
  );
}

/** In one process, the work of an agent that is not started is never done. */
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
    'agents.fast_processing.enabled = false: fast_processing always runs in the process of the run; enable it',
  );
}

/** Virtual time jumps when no part is at work, which cannot be known of other processes. */
export function requireRealTime(speed: Speed) {
  if (speed !== 'max') return;
  throw configInvalid('speed max needs every agent in one process; over a broker, give a number, such as --speed 20');
}
