import { brokerSettings } from '../../config/broker.ts';
import { loadConfig } from '../../config/load.ts';
import { requireRunnable } from '../../config/payload-command.ts';
import {
  requireEveryAgent,
  requireOwnNamespace,
  requireRealTime,
  requireRecorderAgents,
} from '../../config/policies.ts';
import { asRecorded } from '../../config/recorded.ts';
import { openStore } from '../../db/opening/open-store.ts';
import type { Store } from '../../db/opening/store.ts';
import { interruptedExecutions } from '../../db/presence/leases.ts';
import type { Speed } from '../../domain/params.ts';
import { isAlive } from '../../lib/process-identity.ts';
import { startExecution } from '../../runtime/start-execution.ts';
import { configPlaces, type Io, logLevel, storeOption, storeOptions, storePath, userName } from '../shared/io.ts';
import { driveToEnd } from './drive.ts';
import { requireProgram } from './notify.ts';

interface RunArguments {
  config: string | undefined;
  broker: string | undefined;
  stfCount: number | undefined;
  speed: Speed | undefined;
  sets: string[];
  json: boolean;
  notify?: string | undefined;
  /** The client in whose name a server has started this. */
  sender?: string | undefined;
}

/** `swf-mcp run`: one execution from start to end. Returns the exit code. */
export async function runCommand(io: Io, args: RunArguments): Promise<number> {
  // Check the environment before making anything.
  userName(io);
  logLevel(io);
  const notify = requireProgram(io, args.notify);
  const setup = setupOf(io, args);
  using store = await openStore(storePath(io), storeOptions(io));
  tellOfInterrupted(io, store, setup.config.testbed.namespace);
  const { speed } = setup;
  return await driveToEnd(io, { store, ...setup, json: args.json, notify }, (options) =>
    startExecution({ ...options, sender: args.sender }, { speed, configName: args.config }),
  );
}

function setupOf(io: Io, { config: name, broker: flag, stfCount, speed: given, sets }: RunArguments) {
  const counted = stfCount === undefined ? [] : [`fast_processing.stf_count=${stfCount}`];
  const loaded = loadConfig({ name, sets: [...sets, ...counted], ...configPlaces(io) });
  requireRunnable(loaded.config, io.env['PATH']);
  for (const warning of loaded.warnings) io.err(`WARNING ${warning}`);
  const broker = brokerSettings(flag, loaded.config.broker, io.env);
  const speed = given ?? (loaded.config.workflow.realtime ? 1 : 'max');
  if (broker === undefined) requireEveryAgent(loaded.config);
  else {
    requireOwnNamespace(loaded);
    requireRecorderAgents(loaded.config);
    requireRealTime(speed);
  }
  return { config: asRecorded(loaded.config, storePath(io), io.workingFolder, broker), speed, broker };
}

const toldInterrupted = 3;

/** Warns about interrupted executions of a namespace: a new execution does not end them. */
function tellOfInterrupted(io: Io, { sql }: Store, namespace: string): void {
  const interrupted = interruptedExecutions(sql, namespace, isAlive);
  const next = (name: string, id: string): string => `"swf-mcp${storeOption(io)} ${name} ${id}"`;
  for (const { execution_id, last_beat } of interrupted.slice(0, toldInterrupted))
    io.err(
      `WARNING ${execution_id} of this namespace was interrupted (last heard ${last_beat}); go on with ${next('resume', execution_id)}, or end it with ${next('stop', execution_id)}`,
    );
  const more = interrupted.length - toldInterrupted;
  if (more > 0)
    io.err(
      `WARNING ${more} more ${more === 1 ? 'was' : 'were'} interrupted; list_workflow_executions(status="running") names them`,
    );
}
