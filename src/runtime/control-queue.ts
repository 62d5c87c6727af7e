import { createHash, randomUUID } from 'node:crypto';

import type { Delivery } from '../broker/connection.ts';
import { type ConfigSources, requestedSections, requireBareName } from '../config/layers.ts';
import { loadConfig } from '../config/load.ts';
import { requireRealTime } from '../config/policies.ts';
import type { Config } from '../config/schema.ts';
import { readMessage } from '../db/execution/log-reader.ts';
import { forgetRequestInHand, requestsInHand } from '../db/presence/recorders.ts';
import type { Prepare } from '../db/sqlite/statements.ts';
import { currentPlanVersion } from '../domain/params.ts';
import { decodedOf } from '../exchange/wire.ts';
import { SwfError } from '../lib/errors.ts';
import { utcNow } from '../lib/time.ts';
import { fieldOf, decodeObject } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';
import type { Host } from './host.ts';

const subscription = 'control';

/** How long a request for another store is held before it is returned, in milliseconds. */
const passMilliseconds = 500;

const isFor = (storeId: string, { headers }: Delivery) =>
  headers['store_id'] === undefined || headers['store_id'] === storeId;

/**
 * Listens to a namespace's control queue for requests to this store or to any. Returns a function that ends
 * it.
 */
export function listenToControl(host: Host, onMessage: (delivery: Delivery) => void): () => void {
  const { recorder, namespace } = host;
  recorder.broker.subscribe({
    id: subscription,
    destination: recorder.destinations.control,
    ack: 'each',
    only: () => ({ namespace, store: { isOrNone: recorder.storeId } }),
    prefetch: 1,
    onMessage: (delivery) => {
      if (isFor(recorder.storeId, delivery)) onMessage(delivery);
      // A broker without selectors delivers it anyway. Give it back slowly, to avoid spinning.
      else setTimeout(() => delivery.giveBack(), passMilliseconds);
    },
  });
  return () => recorder.broker.unsubscribe(subscription);
}

/** The identity of a control queue request without its own `command_id`. */
export interface RequestIdentity {
  /** The same at each delivery. */
  id: string;
  /** Whether it was taken before, and is delivered again. */
  isTaken: boolean;
  /** Whether only its content suggests so. */
  isGuess: boolean;
}

/**
 * Recognizes a redelivered request, so that it makes one execution. A broker without its own ids (RabbitMQ)
 * says only that it has delivered a message before: a message with the same content as an accepted request, and
 * whose acknowledgement the broker has not confirmed, is that request.
 */
export function identifyRequest(sql: Prepare, namespace: string, { id, headers, body }: Delivery): RequestIdentity {
  if (id !== undefined) return { id, isTaken: isRecorded(sql, id), isGuess: false };
  const words = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const before =
    headers['redelivered'] === 'true'
      ? requestsInHand(sql, namespace).find((taken) => taken.startsWith(`${words}/`))
      : undefined;
  if (before === undefined) return { id: `${words}/${randomUUID()}`, isTaken: false, isGuess: false };
  return { id: before, isTaken: isRecorded(sql, before), isGuess: true };
}

const isRecorded = (sql: Prepare, id: string) => readMessage(sql, `run_workflow/${id}`) !== undefined;

/** Why a request that is recognized only by its content is not accepted. */
export const guessedRefusal = (id: string) =>
  `it repeats run_workflow/${id}, so it may be a redelivery; if it is a new request, send it again, preferably with a command_id`;

/**
 * Acknowledges a request. Forgets one from a broker without ids once it can no longer be delivered again.
 * @param follow called with the write that forgets it
 */
export function acknowledgeRequest(host: Host, delivery: Delivery, id: string, follow: (write: Promise<void>) => void) {
  const forget = () => follow(host.store.write((tx) => forgetRequestInHand(tx, host.namespace, id)));
  delivery.acknowledge(delivery.id === undefined ? forget : undefined);
}

/**
 * A run drives its own execution and starts no other. Requests to stop, pause or resume are recorded for its
 * driver.
 */
export function recordControl(host: Host): () => void {
  const { recorder, lifetime, store, namespace } = host;
  const take = async (delivery: Delivery) => {
    const { id, isTaken, isGuess } = identifyRequest(store.sql, namespace, delivery);
    // Otherwise a service that was killed has taken it, or may have.
    if (!isTaken || isGuess)
      await recorder.record(recorder.destinations.control, delivery, refusalOf(delivery, isTaken ? id : undefined));
    acknowledgeRequest(host, delivery, id, (forgetting) => {
      forgetting.catch((error: unknown) => lifetime.fail(error));
    });
    recorder.notifier.announce(['stop_workflow', 'pause_workflow', 'resume_workflow']);
  };
  return listenToControl(host, (delivery) => void take(delivery).catch((error: unknown) => lifetime.fail(error)));
}

/** @param taken the id of the request that it may be */
function refusalOf(delivery: Delivery, taken: string | undefined): string | undefined {
  if (taken !== undefined) return guessedRefusal(taken);
  return fieldOf(decodedOf(delivery), 'msg_type') === 'run_workflow'
    ? 'this namespace is recorded by a run, which accepts no requests; "swf-mcp agent daq_simulator" does'
    : undefined;
}

interface RunRequest {
  kind: 'run';
  command: Message<'run_workflow'>;
  config: Config;
}

/** A request, or a message that is only recorded: as rejected, if there is a refusal. */
type ControlMessage = RunRequest | { kind: 'other'; refusal?: string };

export interface RequestSurroundings {
  /**
   * The agent's own configuration: its namespace and broker always apply, the rest only to requests that name
   * no configuration.
   */
  config: Config;
  /** Where to find configurations that requests name. */
  sources: ConfigSources;
  /** Converts a configuration to its recorded form: without secrets, with its folder and broker. */
  asRecorded: (config: Config) => Config;
}

/**
 * Reads a message of the control queue, and fills in fields that the testbed's own requests lack.
 * @param commandId for a request that has none
 */
export function readControlMessage(delivery: Delivery, commandId: string, around: RequestSurroundings): ControlMessage {
  const received = decodedOf(delivery);
  const fields: Record<string, unknown> = received.kind === 'message' ? { ...received.message } : received.body;
  if (fields['msg_type'] !== 'run_workflow') return { kind: 'other' };
  const decoded = decodeObject(completed(fields, commandId, around.config));
  if (decoded.kind !== 'message' || decoded.message.msg_type !== 'run_workflow')
    return { kind: 'other', refusal: decoded.kind === 'rejected' ? decoded.reason : 'is not a request' };
  const { message } = decoded;
  try {
    const config = around.asRecorded(requestedConfig(message, around));
    return { kind: 'run', command: { ...message, params: config, plan_version: currentPlanVersion }, config };
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    return { kind: 'other', refusal: error.line };
  }
}

function completed(fields: Record<string, unknown>, command_id: string, { testbed, workflow }: Config) {
  // A request may not choose its numbers.
  const { execution_id: _, run_id: __, ...asked } = fields;
  const sender = typeof asked['sender'] === 'string' ? asked['sender'] : 'unknown';
  return {
    command_id,
    namespace: testbed.namespace,
    timestamp: utcNow(),
    workflow_name: workflow.name,
    params: {},
    executed_by: sender,
    speed: 1,
    ...asked,
    sender,
  };
}

/**
 * The agent's namespace and broker apply; a request chooses a configuration by name and sets parameters of
 * the workflow.
 */
function requestedConfig(request: Message<'run_workflow'>, { config, sources }: RequestSurroundings): Config {
  requireRealTime(request.speed);
  const name = requireBareName(request.config, sources.workingFolder) ?? sources.name;
  const overrides = requestedSections(request.params);
  const { testbed, broker, data, agents } = config;
  const sets = [...(sources.sets ?? []), `testbed.namespace=${testbed.namespace}`];
  return { ...loadConfig({ ...sources, name, sets, overrides }).config, testbed, broker, data, agents };
}
