import { setMaxListeners } from 'node:events';
import { join } from 'node:path';

import type { Workplace } from '../agents/log-consumer.ts';
import type { Journal, SliceQueue } from '../agents/ports.ts';
import type { SliceBench } from '../agents/queued-slice-worker.ts';
import { type Config, parseRecordedConfig } from '../config/load.ts';
import { openJournal } from '../db/execution/journal.ts';
import { findExecution, lastTick, startMessage } from '../db/lists/executions.ts';
import { createLogWriter } from '../db/lists/logs.ts';
import type { Store } from '../db/sqlite/open-store.ts';
import { preparer } from '../db/sqlite/statements.ts';
import { executionParamsSchema, type Speed } from '../domain/params.ts';
import type { Station } from '../exchange/session.ts';
import { createDataFiles, noDataFiles } from '../files/data-files.ts';
import { createScaledClock } from '../lib/clock.ts';
import { SwfError } from '../lib/errors.ts';
import type { Log, LogLevel } from '../lib/logger.ts';
import { isAlive } from '../lib/process-identity.ts';
import type { MessageType } from '../messages/vocabulary.ts';
import type { PayloadHost } from '../payload/host.ts';
import { createPlaceholderPayload, type Payload } from '../payload/placeholder.ts';
import type { Presence } from './heartbeat.ts';

/** What an agent sees of an execution beside its log. */
export function contextFor(
  config: Config,
  speed: Speed,
  { execution_id, run_number }: { execution_id: string; run_number: number },
  journal: Journal,
): Workplace['context'] {
  const { dir, write_files } = config.data;
  return {
    execution_id,
    run_number,
    params: executionParamsSchema.parse({ ...config, speed }),
    files: write_files && dir !== undefined ? createDataFiles(join(dir, execution_id)) : noDataFiles,
    message: (id) => journal.message(id),
  };
}

/** What a worker needs of an execution. */
export function benchFor(config: Config, workplace: Workplace, queue: SliceQueue, payloads: PayloadHost): SliceBench {
  return { workplace, queue, payload: payloadFor(config, workplace, payloads) };
}

/** The data of an execution that this store does not know may be anywhere: that they are not here is no fault of this process. */
function atNoFault(payload: Payload): Payload {
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

function payloadFor(
  { testbed, fast_processing, daq_state_machine, worker, data }: Config,
  { context, clock }: Workplace,
  payloads: PayloadHost,
): Payload {
  const frameBytes = daq_state_machine.tf_size_bytes;
  if (worker.payload === undefined || data.dir === undefined)
    return createPlaceholderPayload(context.files, clock, fast_processing.slice_processing_time, frameBytes);
  return payloads.create({
    command: worker.payload,
    timeoutSeconds: worker.timeout_seconds,
    execution_id: context.execution_id,
    run_number: context.run_number,
    namespace: testbed.namespace,
    frameBytes,
    folder: join(data.dir, context.execution_id),
  });
}

export interface BenchOptions {
  store: Store;
  /** For executions whose own configuration is not in this store. */
  config: Config;
  processId: number;
  station: Station;
  presence: Presence;
  payloads: PayloadHost;
  log: Log;
  logLevel: LogLevel;
  /** Aborted when this process gives up what it has in hand. */
  closing: AbortSignal;
}

/**
 * The executions that agents of this process work on without driving them: each gets a bench when it is first met, which is
 * closed when the execution has ended.
 */
export function createBenches({
  store,
  config,
  processId,
  station,
  presence,
  payloads,
  log,
  logLevel,
  closing,
}: BenchOptions) {
  const sql = preparer(store.db);
  const benches = new Map<string, SliceBench>();

  const open = (executionId: string, runId: string | undefined): SliceBench => {
    const execution = findExecution(sql, executionId);
    const start = execution === undefined ? undefined : startMessage(sql, executionId);
    const own = start === undefined ? config : parseRecordedConfig(start.params, executionId);
    const speed = start === undefined || start.speed === 'max' ? 1 : start.speed;
    const held = {
      execution_id: executionId,
      run_number: execution?.run_number ?? (Number(runId) || 0),
      namespace: execution?.namespace ?? config.testbed.namespace,
      outboxOwner: processId,
    };
    const ended = new AbortController();
    // Every waiting reader and every sleeper listens to it.
    setMaxListeners(0, ended.signal);
    const { journal, queue } = openJournal(store, held, {
      writeLog: createLogWriter(sql, logLevel),
      isAlive,
      onCommitted(types: MessageType[], step) {
        presence.sawWork(step.sender, executionId);
        for (const line of step.logs ?? []) log.write(line);
        station.exchange.committed();
        station.bus.announce(types);
      },
    });
    const clock = createScaledClock(speed, lastTick(sql, executionId) ?? 0);
    const workplace: Workplace = {
      context: contextFor(own, speed, held, journal),
      journal,
      bus: station.bus,
      clock,
      signal: ended.signal,
    };
    if (execution !== undefined) void closeAtEnd(executionId, ended);
    const bench = benchFor(own, workplace, queue, payloads);
    return execution === undefined ? { ...bench, payload: atNoFault(bench.payload) } : bench;
  };

  const closeAtEnd = async (executionId: string, ended: AbortController): Promise<void> => {
    const isOver = (): boolean => findExecution(sql, executionId)?.status !== 'running';
    while (!closing.aborted && !isOver()) await station.bus.news(closing);
    ended.abort();
    benches.delete(executionId);
  };

  return {
    of(executionId: string, runId: string | undefined): SliceBench {
      const known = benches.get(executionId);
      if (known !== undefined) return known;
      const bench = open(executionId, runId);
      // Of an execution that this store does not know nothing says when it ends, so nothing of it is kept.
      if (findExecution(sql, executionId) !== undefined) benches.set(executionId, bench);
      return bench;
    },
  };
}

export type Benches = ReturnType<typeof createBenches>;
