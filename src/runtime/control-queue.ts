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
import { bodyOf, fieldOf, decodeObject } from '../messages/codec.ts';
import type { Message } from '../messages/message.ts';
import type { Host } from './host.ts';

const subscription = 'control';

/** How long a request for another store is held before it is returned to the broker, in milliseconds. */
const passMilliseconds = 500;

const isFor = (storeId: string, { headers }: Delivery) =>
  headers['store_id'] === undefined || headers['store_id'] === storeId;

/**
 * Listens to a namespace's control queue for requests to this store or to any store. Returns a function that
 * stops listening.
 */
export function listenToControl(host: Host, onMessage: (delivery: Delivery) => void) {
  const { recorder, namespace } = host;
  recorder.broker.subscribe({
    id: subscription,
    destination: recorder.destinations.control,
    ack: 'each',
    only: () => ({ namespace, store: { isOrNone: recorder.storeId } }),
    prefetch: 1,
    onMessage: (delivery) => {
      if (isFor(recorder.storeId, delivery)) onMessage(delivery);
      // A broker without selectors delivers requests for other stores too. Return them after a pause, to avoid
      // a busy loop.
      else setTimeout(() => delivery.giveBack(), passMilliseconds);
    },
  });
  return () => recorder.broker.unsubscribe(subscription);
}

/** The identity of a control queue request without its own `command_id`. */
export interface RequestIdentity {
  /** The request's id, the same at each delivery. */
  id: string;
  /** Whether the request has been taken before and is being redelivered. */
  isTaken: boolean;
  /** Whether the request was recognized only by its content. */
  isGuess: boolean;
}

/**
 * Recognizes a redelivered request, so that it starts only one execution. A broker that assigns no message ids
 * (RabbitMQ) says only that a message has been delivered before. Such a message counts as a redelivery of an
 * accepted request if it has the same content and the broker has not confirmed the request's acknowledgement.
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

interface RequestHandling {
  /** Handles a request that has not been taken before. */
  takeNew: (delivery: Delivery, id: string) => Promise<unknown>;
  /** Records a request that is not accepted. */
  refuse: (delivery: Delivery, refusal: string) => Promise<void>;
  /**
   * Called once the broker can no longer redeliver a request. `write`: the pending write that deletes the
   * record of the request.
   */
  follow: (write: Promise<void>) => void;
}

/** Handles a request once, however often it is delivered, and acknowledges it. */
export async function takeRequest(host: Host, delivery: Delivery, { takeNew, refuse, follow }: RequestHandling) {
  const { store, recorder, namespace } = host;
  const { id, isTaken, isGuess } = identifyRequest(store.sql, namespace, delivery);
  if (!isTaken) await takeNew(delivery, id);
  // An earlier process took the request (or may have taken it, if that is not certain) and was then killed.
  else if (isGuess)
    await refuse(
      delivery,
      `it repeats run_workflow/${id}, so it may be a redelivery; if it is a new request, send it again, preferably with a command_id`,
    );
  const forget = () => follow(store.write((tx) => forgetRequestInHand(tx, namespace, id)));
  delivery.acknowledge(delivery.id === undefined ? forget : undefined);
  recorder.notifier.announce(['run_workflow', 'stop_workflow', 'pause_workflow', 'resume_workflow']);
}

/**
 * Listens on behalf of a run, which drives its own execution and starts no other. Requests to stop, pause or
 * resume are recorded for its driver.
 */
export function recordControl(host: Host) {
  const { recorder, lifetime } = host;
  const onFault = (error: unknown) => lifetime.fail(error);
  const refuse = (delivery: Delivery, refusal?: string) =>
    recorder.record(recorder.destinations.control, delivery, refusal);
  const handling: RequestHandling = {
    takeNew: (delivery) => refuse(delivery, refusalOf(delivery)),
    refuse,
    follow: (forgetting) => void forgetting.catch(onFault),
  };
  return listenToControl(host, (delivery) => void takeRequest(host, delivery, handling).catch(onFault));
}

const refusalOf = (delivery: Delivery) =>
  fieldOf(decodedOf(delivery), 'msg_type') === 'run_workflow'
    ? 'this namespace is recorded by a run, which accepts no requests; "swf-mcp agent daq_simulator" accepts them'
    : undefined;

interface RunRequest {
  kind: 'run';
  command: Message<'run_workflow'>;
  config: Config;
}

/** A request to start a run, or a message that is only recorded (as rejected, if there is a refusal). */
type ControlMessage = RunRequest | { kind: 'other'; refusal?: string };

export interface RequestSurroundings {
  /**
   * The agent's own configuration: its sections `testbed`, `broker`, `data` and `agents` always apply, the rest
   * only to requests that name no configuration.
   */
  config: Config;
  /** Where to find configurations that requests name. */
  sources: ConfigSources;
  /** Converts a configuration to its recorded form: without secrets, with its folder and broker. */
  asRecorded: (config: Config) => Config;
}

/**
 * Reads a message from the control queue, and fills in fields that the testbed's own requests lack.
 * @param commandId for a request that has no id
 */
export function readControlMessage(delivery: Delivery, commandId: string, around: RequestSurroundings): ControlMessage {
  const fields = bodyOf(decodedOf(delivery));
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
  // A request may not choose its execution id or run number.
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
 * A request may name a configuration and set parameters of the workflow, but the sections `testbed`, `broker`,
 * `data` and `agents` are always the agent's own.
 */
function requestedConfig(request: Message<'run_workflow'>, { config, sources }: RequestSurroundings) {
  requireRealTime(request.speed);
  const name = requireBareName(request.config, sources.workingFolder) ?? sources.name;
  const overrides = requestedSections(request.params);
  const { testbed, broker, data, agents } = config;
  const sets = [...(sources.sets ?? []), `testbed.namespace=${testbed.namespace}`];
  return { ...loadConfig({ ...sources, name, sets, overrides }).config, testbed, broker, data, agents };
}
