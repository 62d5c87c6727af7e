import { connectByStomp } from '../../broker/stomp-connection.ts';
import { connectToBroker } from '../../exchange/broker-start.ts';
import { pause, withDeadline } from '../../lib/deadline.ts';
import { NoStoreYet, SwfError } from '../../lib/errors.ts';
import { configWithBroker } from '../shared/configured.ts';
import { type BrokerFlags, exitCodes, type Io, storePath } from '../shared/io.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';
import { hearAgent } from './request.ts';

interface ReadyArguments extends BrokerFlags {
  /** The agent, or a type of agents. */
  name: string;
  /** Seconds. */
  wait: number;
}

/**
 * `swf-mcp ready`: waits for the first heartbeat of an agent, or for an observer that listens. Returns 0 when
 * it arrives, 1 when it does not.
 */
export const readyCommand = (io: Io, args: ReadyArguments) =>
  args.name === 'observer' ? waitForObserver(io, args.wait) : waitForAgent(io, args);

const lookMilliseconds = 250;

/** An observer sends nothing, so only the store shows it. */
async function waitForObserver(io: Io, wait: number) {
  using reader = createStoreReader(io);
  const deadline = performance.now() + wait * 1000;
  for (;;) {
    const [observer] = observersIn(reader);
    if (observer !== undefined) {
      io.out(`observer is ready: process ${observer.pid} on ${observer.hostname}\n`);
      return exitCodes.fine;
    }
    if (performance.now() >= deadline) break;
    await pause(lookMilliseconds);
  }
  io.err(`no observer wrote to ${storePath(io)} within ${wait} s`);
  return exitCodes.mendable;
}

/**
 * The observers of a store; empty while the store is missing or empty, or another process has locked it
 * exclusively.
 */
function observersIn(reader: StoreReader) {
  try {
    return reader.queries().listeningObservers(Date.now());
  } catch (error) {
    if (error instanceof NoStoreYet || (error instanceof SwfError && error.code === 'STORE_IN_USE')) return [];
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
  const agent = broker === undefined ? undefined : await hearAgent(broker, config, name, deadline - performance.now());
  late.abort();
  await broker?.close();
  if (agent === undefined) io.err(`${name} of namespace ${namespace} was not heard from within ${wait} s`);
  else io.out(`${agent} is ready\n`);
  return agent === undefined ? exitCodes.mendable : exitCodes.fine;
}
