import { join } from 'node:path';

import type { ExecutionContext } from '../agents/agent.ts';
import { type HeldExecution, openExecution } from '../db/driving/journal.ts';
import { lastTick } from '../db/execution/start-message.ts';
import { createLogLineWriter } from '../db/log/log-lines.ts';
import { fileAddressOf } from '../domain/file-address.ts';
import { type ExecutionParams, payloadSpecOf } from '../domain/params.ts';
import { noDataFiles } from '../files/data-files.ts';
import { createDataFiles } from '../files/disk-data-files.ts';
import { createScaledClock, createVirtualClock } from '../lib/clock.ts';
import { Lifetime } from '../lib/lifetime.ts';
import { isAlive } from '../lib/process-identity.ts';
import { createNotifier } from '../messages/notifier.ts';
import type { PayloadHost } from '../payload/host.ts';
import { createPayload } from '../payload/kinds.ts';
import { payloadNameOf } from '../payload/payload-name.ts';
import type { Host } from './host.ts';

/** An execution that this process drives: everything that its agents and workers need. */
export type Execution = ReturnType<typeof openHere>;

/**
 * Opens an execution.
 * @param params as recorded in its log
 * @param payloads the host of the execution's payload processes
 */
export function openHere(
  host: Host,
  held: HeldExecution,
  params: ExecutionParams,
  { lifetime, payloads }: { lifetime: Lifetime; payloads: PayloadHost },
) {
  const { execution_id, run_number } = held;
  const { options } = host;
  const { speed } = params;
  const startTick = lastTick(host.store.sql, execution_id)?.tick ?? 0;
  const clock = speed === 'max' ? createVirtualClock(startTick) : createScaledClock(speed, startTick);
  const notifier = host.session?.notifier ?? createNotifier(clock);
  const access = openExecution(host.store, held, {
    writeLogLine: createLogLineWriter(options.logLevel),
    isAlive,
    onCommitted(types, step) {
      host.heartbeat.sawWork(step.sender, execution_id);
      for (const line of step.logs ?? [])
        if (line.context?.['driver_ended'] === undefined) (options.agentLog ?? options.log).write(line);
      host.session?.committed();
      options.onProgress?.(execution_id, types);
      notifier.announce(types);
    },
  });
  const { dir, write_files, url } = params.data;
  /** The folder of the execution's data files; undefined if none are written. */
  const folder = dir && join(dir, execution_id);
  const urlOf = url === undefined ? undefined : (name: string) => fileAddressOf(url, execution_id, name);
  const files = write_files && folder !== undefined ? createDataFiles(folder, urlOf) : noDataFiles;
  const { journal } = access;
  const agent = {
    execution_id,
    run_number,
    params,
    files,
    conditions: host.session && conditionsOf(params),
    payload: nameOfPayload(params, options.environment),
    message: (id: string) => journal.message(id),
  };
  const execution: ExecutionContext = { agent, journal, notifier, clock, lifetime };
  const frameBytes = params.daq_state_machine.tf_size_bytes;
  const payload = createPayload(payloadSpecOf(params), { ...held, files, folder, clock, host: payloads, frameBytes });
  return { ...access, held, params, folder, lifetime, execution, payload };
}

const nameOfPayload = ({ worker }: ExecutionParams, environment: NodeJS.ProcessEnv) =>
  worker.payload && payloadNameOf(worker.payload, { name: worker.payload_name, path: environment['PATH'] });

/** The facts about an execution that workers on other hosts rely on. */
const conditionsOf = ({ speed, fast_processing, daq_state_machine, worker }: ExecutionParams) => ({
  speed: speed === 'max' ? 1 : speed,
  slice_processing_time: fast_processing.slice_processing_time,
  tf_size_bytes: daq_state_machine.tf_size_bytes,
  timeout_seconds: worker.timeout_seconds,
});
