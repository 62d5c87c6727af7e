import type { Store } from '../../db/opening/store.ts';
import {
  askTestbed,
  expirySeconds,
  hasEnded,
  heardAfter,
  newestCalled,
  newestKey,
  noObserver,
  sentAt,
  withdrawRequest,
} from '../../db/stand-in/requests.ts';
import { usualConfiguration } from '../../domain/names.ts';
import { pause } from '../../lib/deadline.ts';
import { argumentInvalid, executionNotRunning, NoStoreYet } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import type { ControlRequest, StartRequest, TestbedAnswer } from '../../tools/shared/services.ts';
import { type Io } from '../shared/io.ts';
import { existingStore } from '../shared/own-store.ts';

/**
 * How long to wait for a start, in seconds: the testbed's runner registers an execution immediately, but sends
 * the run's first message five seconds later.
 */
const startSeconds = 30;

const lookMilliseconds = 250;

/** Asks the runner of an observed testbed to start a run, in the format that the runner's own command uses. */
export async function startTheirs(io: Io, namespace: string, request: StartRequest): Promise<TestbedAnswer> {
  const { by, config = usualConfiguration, speed = 1, settings } = request;
  if (speed !== 1 && speed !== 'max')
    throw argumentInvalid(
      `speed = ${speed}: runs in namespace ${namespace} use real time (1) or simulated time ("max")`,
    );
  const params = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key.slice(key.indexOf('.') + 1), value]),
  );
  const realtime = speed === 1;
  const body = { msg_type: 'run_workflow', namespace, workflow_name: 'stf_datataking', config, realtime, params };
  return ask(io, { namespace, body, by, seconds: startSeconds }, ({ sql }) => {
    const after = newestKey(sql);
    return () => heardAfter(sql, namespace, after);
  });
}

/**
 * Asks the testbed's runner to stop an execution. The bus does not announce a stop, so only the monitor can
 * report its effect. Throws `EXECUTION_NOT_RUNNING` if the execution has ended, or if a newer execution has
 * its name: the command cannot say which run it means, and would stop the newer one.
 */
export function stopTheirs(
  io: Io,
  { namespace, told_id, execution_id }: { namespace: string; told_id: string; execution_id: string },
  { by, patienceSeconds }: ControlRequest,
): Promise<TestbedAnswer> {
  const body = { msg_type: 'stop_workflow', namespace, execution_id: told_id };
  return ask(io, { namespace, body, by: by.name, seconds: patienceSeconds }, ({ sql }) => {
    const newest = newestCalled(sql, namespace, told_id);
    if (newest?.execution_id !== execution_id)
      throw executionNotRunning(
        `${execution_id} is not the newest run named ${told_id}: a stop would end ${newest?.execution_id ?? 'another one'}`,
      );
    if (newest.status !== 'running' && newest.status !== 'unknown')
      throw executionNotRunning(`${execution_id} has ended (${newest.status}); there is nothing to stop`);
    return () => (hasEnded(sql, execution_id) ? execution_id : undefined);
  });
}

/**
 * @param begin runs the checks before anything is requested, and returns a function that finds the
 *   execution in which the effect shows
 */
async function ask(
  io: Io,
  { namespace, body, by, seconds }: { namespace: string; body: object; by: string; seconds: number },
  begin: (store: Store) => () => string | undefined,
) {
  using store = await existingStore(io).catch((error: unknown) => {
    throw error instanceof NoStoreYet ? noObserver(namespace) : error;
  });
  const seen = begin(store);
  const now = Date.now();
  const asked_at = new Date(now).toISOString();
  const message = { ...body, timestamp: asked_at, source: 'swf-mcp' };
  const request = await store.write((tx) => askTestbed(tx, { namespace, body: message, by, now }, isAlive));
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const heard_as = sentAt(store.sql, request) === undefined ? undefined : seen();
    if (heard_as !== undefined) return { asked_at, heard_as };
    if (performance.now() >= deadline) return await unheard(store, request, asked_at);
    await pause(lookMilliseconds);
  }
}

/**
 * Handles a request that got no reply: it is withdrawn if it has not been sent; otherwise it expires. After
 * that, the request may be repeated.
 */
async function unheard(store: Store, request: number, asked_at: string) {
  const isWithdrawn = await store.write((tx) => withdrawRequest(tx, request));
  const sent = isWithdrawn ? undefined : sentAt(store.sql, request);
  if (sent === undefined) return { asked_at, not_taken_after: new Date().toISOString() };
  const expires = new Date(sent + expirySeconds * 1000).toISOString();
  return { asked_at, sent_at: new Date(sent).toISOString(), not_taken_after: expires };
}
