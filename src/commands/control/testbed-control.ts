import { openExistingStore } from '../../db/opening/open-store.ts';
import type { Store } from '../../db/opening/store.ts';
import { askTestbed, heardSince, sentAt } from '../../db/stand-in/requests.ts';
import { pause } from '../../lib/deadline.ts';
import { SwfError } from '../../lib/errors.ts';
import { isAlive } from '../../lib/process-identity.ts';
import type { ControlRequest, StartRequest, TestbedAnswer } from '../../tools/shared/control.ts';
import { type Io, storeOptions, storePath } from '../shared/io.ts';

/** Their runner registers an execution at once, and says the first message of a run five seconds later. */
const startSeconds = 30;

const lookMilliseconds = 250;

/** As their own command names it where no other is given. */
const usualConfig = 'fast_processing_default';

/** Asks the runner of an observed testbed to start a run, in the shape of its own command. */
export async function startTheirs(io: Io, namespace: string, request: StartRequest): Promise<TestbedAnswer> {
  const { by, config = usualConfig, speed = 1, settings } = request;
  if (speed !== 1 && speed !== 'max')
    throw new SwfError(
      'ARGUMENT_INVALID',
      `speed = ${speed}: a run of namespace ${namespace} goes in real time (1) or in simulated time ("max")`,
    );
  const params = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key.slice(key.indexOf('.') + 1), value]),
  );
  const body = {
    msg_type: 'run_workflow',
    namespace,
    workflow_name: 'stf_datataking',
    config,
    realtime: speed === 1,
    params,
  };
  return ask(io, { namespace, body, by }, startSeconds, (store, since) => heardSince(store.sql, namespace, since));
}

/** Asks their runner to stop an execution. A stop is not said on their bus, so its effect is seen only where their monitor tells. */
export async function stopTheirs(
  io: Io,
  { namespace, told_id, execution_id }: { namespace: string; told_id: string; execution_id: string },
  { by, patienceSeconds }: ControlRequest,
): Promise<TestbedAnswer> {
  const body = { msg_type: 'stop_workflow', namespace, execution_id: told_id };
  return ask(io, { namespace, body, by: by.name }, patienceSeconds, (store) =>
    store
      .sql<[string]>(`SELECT 1 FROM workflow_executions WHERE execution_id = ? AND status <> 'running'`)
      .get(execution_id) === undefined
      ? undefined
      : execution_id,
  );
}

async function ask(
  io: Io,
  { namespace, body, by }: { namespace: string; body: object; by: string },
  seconds: number,
  seen: (store: Store, since: number) => string | undefined,
): Promise<TestbedAnswer> {
  const store = await openExistingStore(storePath(io), storeOptions(io));
  try {
    const now = Date.now();
    const asked_at = new Date(now).toISOString();
    const said = { ...body, timestamp: asked_at, source: 'swf-mcp' };
    const request = await store.write((tx) => askTestbed(tx, { namespace, body: said, by, now }, isAlive));
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const heard_as = sentAt(store.sql, request) === undefined ? undefined : seen(store, now);
      if (heard_as !== undefined) return { asked_at, heard_as };
      if (performance.now() >= deadline) return { asked_at, not_taken_after: new Date().toISOString() };
      await pause(lookMilliseconds);
    }
  } finally {
    store.close();
  }
}
