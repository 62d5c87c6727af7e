import { connectByStomp } from '../../broker/stomp-connection.ts';
import { isBusy } from '../../db/sqlite/other-writers.ts';
import { connectToBroker } from '../../exchange/broker-start.ts';
import { pause, withDeadline } from '../../lib/deadline.ts';
import { NoStoreYet } from '../../lib/errors.ts';
import { configWithBroker } from '../shared/configured.ts';
import { type BrokerFlags, exitCodes, type Io, storePath } from '../shared/io.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';
import { hearAgent } from './request.ts';

interface ReadyArguments extends BrokerFlags {
  /** The name of an agent, a type of agent, or `observer`. */
  name: string;
  /** How long to wait, in seconds. */
  wait: number;
}

/**
 * `swf-mcp ready`: waits until an agent's first heartbeat arrives, or an observer is listening. Returns 0, or 1
 * if the time runs out first.
 */
export const readyCommand = (io: Io, args: ReadyArguments) =>
  args.name === 'observer' ? waitForObserver(io, args.wait) : waitForAgent(io, args);

const lookMilliseconds = 250;

/** An observer sends nothing, so only the store shows that it is ready. */
async function waitForObserver(io: Io, wait: number) {
  using reader = createStoreReader(io);
  const deadline = performance.now() + wait * 1000;
  for (;;) {
    const isLate = performance.now() >= deadline;
    const [observer] = observersIn(reader, isLate);
    if (observer !== undefined) {
      io.out(`observer is ready: process ${observer.pid} on ${observer.hostname}\n`);
      return exitCodes.fine;
    }
    if (isLate) break;
    await pause(lookMilliseconds);
  }
  io.err(`no observer wrote to ${storePath(io)} within ${wait} s`);
  return exitCodes.mendable;
}

/** The observers of a store; none while it is missing, empty or, unless this is the last look, locked. */
function observersIn(reader: StoreReader, isLast: boolean) {
  try {
    return reader.queries().listeningObservers(Date.now());
  } catch (error) {
    if (error instanceof NoStoreYet || (!isLast && isBusy(error))) return [];
    throw error;
  }
}

async function waitForAgent(io: Io, { name, wait, ...flags }: ReadyArguments) {
  const { settings, config } = configWithBroker(io, 'ready', flags);
  const { namespace } = config.testbed;
  const late = new AbortController();
  const deadline = performance.now() + wait * 1000;
  const how = { patient: true, signal: late.signal, onTrouble: () => {} };
  const connecting = connectToBroker({ settings, connect: connectByStomp }, how);
  const broker = await withDeadline(connecting, wait * 1000, undefined);
  const agent = broker && (await hearAgent(broker, config, name, deadline - performance.now()));
  late.abort();
  await broker?.close();
  if (agent === undefined) io.err(`nothing was heard from ${name} in namespace ${namespace} within ${wait} s`);
  else io.out(`${agent} is ready\n`);
  return agent === undefined ? exitCodes.mendable : exitCodes.fine;
}
