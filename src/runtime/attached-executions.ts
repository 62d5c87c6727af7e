import type { Payload } from '../agents/ports.ts';
import type { SliceOfExecution, SliceWork } from '../agents/queued-slice-worker.ts';
import { executionParams } from '../db/execution/params.ts';
import { startMessage } from '../db/execution/start-message.ts';
import { type ExecutionRow, findExecution } from '../db/lists/executions.ts';
import { currentPlanVersion, type ExecutionParams, executionParamsSchema } from '../domain/params.ts';
import { SwfError } from '../lib/errors.ts';
import { Lifetime } from '../lib/lifetime.ts';
import { type Execution, openHere } from './execution.ts';
import type { Host } from './host.ts';

/**
 * The executions that agents of this process work on without driving them. Each is opened when it is first met and closed when it has ended.
 */
export class AttachedExecutions {
  readonly #host: Host;
  readonly #open = new Map<string, Execution>();
  readonly #closing = new AbortController();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Throws `CONFIG_INVALID` where this process cannot use its recorded parameters, `EXECUTION_NOT_RUNNING` where they are not here. */
  of(executionId: string): Execution {
    const known = this.#open.get(executionId);
    if (known !== undefined) return known;
    const row = findExecution(this.#host.store.sql, executionId);
    if (row === undefined) throw new Error(`this store does not know ${executionId}`);
    const execution = this.#attach(row);
    this.#open.set(executionId, execution);
    // A store that cannot be read here is a fault of the process, and must not pass unseen.
    this.#closeAtEnd(execution).catch((error: unknown) => this.#host.lifetime.fail(error));
    return execution;
  }

  /** The work on a slice, also on one of an execution that this store does not know. */
  workFor({ execution_id: executionId, run_id }: SliceOfExecution): SliceWork {
    const { sql } = this.#host.store;
    return findExecution(sql, executionId) === undefined ? this.#foreign(executionId, run_id) : this.of(executionId);
  }

  /** Nobody works on the attached executions any more. */
  close(): void {
    this.#closing.abort();
  }

  #attach(row: ExecutionRow): Execution {
    const { sql } = this.#host.store;
    const { execution_id, run_number, namespace } = row;
    // One that was started elsewhere has no parameters here that could be relied on.
    startMessage(sql, execution_id);
    const held = { execution_id, run_number, namespace, outboxOwner: this.#host.processId };
    return openHere(this.#host, held, inRealTime(executionParams(sql, row)), { lifetime: new Lifetime() });
  }

  /** Of an execution that this store does not know nothing says when it ends, so nothing of it is kept. */
  #foreign(execution_id: string, runId: string | undefined): SliceWork {
    const { config } = this.#host.options;
    const held = {
      execution_id,
      run_number: Number(runId) || 0,
      namespace: config.testbed.namespace,
      outboxOwner: this.#host.processId,
    };
    const params = executionParamsSchema.parse({ ...config, speed: 1, plan_version: currentPlanVersion });
    const execution = openHere(this.#host, held, params, { lifetime: new Lifetime() });
    return { ...execution, payload: withoutFault(execution.payload) };
  }

  async #closeAtEnd({ held, execution, lifetime }: Execution): Promise<void> {
    const { sql } = this.#host.store;
    const isOver = (): boolean => findExecution(sql, held.execution_id)?.status !== 'running';
    const closing = this.#closing.signal;
    while (!closing.aborted && !isOver()) await execution.notifier.news(closing);
    lifetime.stop();
    this.#open.delete(held.execution_id);
  }
}

/** Over a broker nobody knows when everybody is idle, so there is no virtual time. */
const inRealTime = (params: ExecutionParams): ExecutionParams =>
  params.speed === 'max' ? { ...params, speed: 1 } : params;

/** The data of an execution that this store does not know may be anywhere: that they are not here is no fault of this process. */
function withoutFault(payload: Payload): Payload {
  return {
    async run(slice, by) {
      try {
        return await payload.run(slice, by);
      } catch (error) {
        if (!(error instanceof SwfError)) throw error;
        return { state: 'failed', seconds: 0, error: error.line };
      }
    },
  };
}
