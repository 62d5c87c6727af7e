import { resolve } from 'node:path';

import type { BrokerSettings } from '../broker/connection.ts';
import { brokerSettings, recordedBroker } from '../config/broker.ts';
import { type Config, loadConfig, requireEveryAgent, requireOwnNamespace } from '../config/load.ts';
import { interruptedExecutions } from '../db/presence/leases.ts';
import { openStore, type Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import type { Speed } from '../domain/params.ts';
import { SwfError } from '../lib/errors.ts';
import { isAlive } from '../lib/process-identity.ts';
import { startWorkflow } from '../runtime/start-execution.ts';
import { driveToEnd } from './drive.ts';
import { configPlaces, type Io, logLevel, storeOption, storeOptions, storePath, userName } from './io.ts';

export interface RunArguments {
  config: string | undefined;
  broker: string | undefined;
  stfCount: number | undefined;
  speed: Speed | undefined;
  sets: string[];
  json: boolean;
}

/** `swf-mcp run`: one execution from start to end. Returns the exit code. */
export async function runCommand(
  io: Io,
  { config: name, broker, stfCount, speed: given, sets, json }: RunArguments,
): Promise<number> {
  // What the environment says is checked before anything is made.
  userName(io);
  logLevel(io);
  const sources = {
    name,
    sets: [...sets, ...(stfCount === undefined ? [] : [`fast_processing.stf_count=${stfCount}`])],
    ...configPlaces(io),
  };
  const loaded = loadConfig(sources);
  for (const warning of loaded.warnings) io.err(`WARNING ${warning}`);
  const settings = brokerSettings(broker, loaded.config.broker, io.env);
  const speed = given ?? (loaded.config.workflow.realtime ? 1 : 'max');
  if (settings === undefined) requireEveryAgent(loaded.config);
  else {
    requireOwnNamespace(loaded);
    refuseVirtualTime(speed);
  }
  const path = storePath(io);
  const config = asRecorded(loaded.config, path, io.workingFolder, settings);
  const store = await openStore(path, storeOptions(io));
  try {
    tellOfInterrupted(io, store, config.testbed.namespace);
    return await driveToEnd(io, { store, config, speed, json, broker: settings }, (options) =>
      startWorkflow(options, name),
    );
  } finally {
    store.close();
  }
}

const toldInterrupted = 3;

/** Executions of a namespace that wait to be taken up again: a new one does not end them. */
function tellOfInterrupted(io: Io, { db }: Store, namespace: string): void {
  const interrupted = interruptedExecutions(preparer(db), namespace, isAlive);
  const next = (name: string, id: string): string => `"swf-mcp${storeOption(io)} ${name} ${id}"`;
  for (const { execution_id, last_beat } of interrupted.slice(0, toldInterrupted)) {
    io.err(
      `WARNING ${execution_id} of this namespace was interrupted (last heard ${last_beat}); go on with ${next('resume', execution_id)}, or end it with ${next('stop', execution_id)}`,
    );
  }
  const more = interrupted.length - toldInterrupted;
  if (more > 0) io.err(`WARNING ${more} more were interrupted; list_workflow_executions(status="running") names them`);
}

/** Virtual time jumps when nobody is at work, which nobody knows of other processes. Throws `CONFIG_INVALID`. */
export function refuseVirtualTime(speed: Speed): void {
  if (speed !== 'max') return;
  throw new SwfError(
    'CONFIG_INVALID',
    'speed max needs every agent in this process; with a broker give a number, such as --speed 20',
  );
}

/**
 * The configuration as it is recorded: where files go in full, so that an execution can be resumed from any folder; where
 * its broker is; and no secrets.
 */
export function asRecorded(
  config: Config,
  store: string,
  workingFolder: string,
  broker: BrokerSettings | undefined,
): Config {
  const dir = config.data.dir === undefined ? `${store}.data` : resolve(workingFolder, config.data.dir);
  return { ...config, data: { ...config.data, dir }, broker: recordedBroker(config.broker, broker) };
}
