import { randomUUID } from 'node:crypto';

import { beginExecution, type Drive, takeOver } from '../db/driving/take-over.ts';
import { currentPlanVersion, type Speed } from '../domain/params.ts';
import { agentTypes } from '../domain/states.ts';
import { isAlive } from '../lib/process-identity.ts';
import { utcNow } from '../lib/time.ts';
import type { Message } from '../messages/message.ts';
import { readPayload } from '../payload/payload-name.ts';
import { recordControl } from './control-queue.ts';
import { refuseForeignFolder, requireDataFolder } from './data-folder.ts';
import { driveExecution, type DrivenExecution } from './driven-execution.ts';
import { driverSelf, type Enter, enterHost, type HostOptions } from './host.ts';

export type RunningExecution = Awaited<ReturnType<typeof takeUp>>;

/**
 * Starts a new execution and drives it. Throws `DATA_UNAVAILABLE`, `CONFIG_INVALID`, `BROKER_…` and
 * `STORE_…` before anything has begun.
 * @param configName the name by which the user chose the configuration
 */
export function startExecution(
  options: HostOptions,
  { speed, configName }: { speed: Speed; configName?: string | undefined },
) {
  const { config, user, sender = user, store } = options;
  requireDataFolder(config);
  const command: Message<'run_workflow'> = {
    msg_type: 'run_workflow',
    command_id: randomUUID(),
    sender,
    namespace: config.testbed.namespace,
    workflow_name: config.workflow.name,
    config: configName,
    params: config,
    plan_version: currentPlanVersion,
    executed_by: user,
    speed,
    timestamp: utcNow(),
  };
  return takeUp(options, (tx, processAgents) => {
    // A command with a new id always starts an execution.
    const drive = beginExecution(store, tx, command, driverSelf(options, processAgents, speed), isAlive) as Drive;
    refuseForeignFolder(config, drive);
    return drive;
  });
}

interface ResumeRequest {
  execution_id: string;
  /** The speed; by default, the recorded one. */
  speed?: Speed | undefined;
  /** The id of the one pending command to carry out; all other pending commands are dropped. */
  follows?: string;
  /** The person who requested the resumption (as claimed), and the reason, for the record. */
  claimedBy?: string | undefined;
  reason?: string | undefined;
}

/** Resumes an interrupted execution where its log ends. Throws `EXECUTION_…`, `BROKER_…` and `STORE_…`. */
export function resumeExecution(options: HostOptions, request: ResumeRequest) {
  const { execution_id, speed, follows, claimedBy, reason } = request;
  const take: Enter<Drive> = (tx, processAgents) => {
    const driver = { ...driverSelf(options, processAgents, speed), claimedBy, reason };
    return takeOver(options.store, tx, execution_id, driver, { isAlive, follows });
  };
  return takeUp(options, take, speed);
}

/** Registers this process, its agents and the execution in one transaction, and drives the execution. */
async function takeUp(options: HostOptions, take: Enter<Drive>, speed?: Speed) {
  // Over a broker, agents that are not enabled here are assumed to run in other processes.
  const { payload } = options.config.worker;
  if (payload !== undefined) await readPayload(payload, options.environment['PATH']);
  const hosted = agentTypes.filter((type) => type === 'daq_simulator' || options.config.agents[type].enabled);
  const { host, entered: drive } = await enterHost(options, hosted, take);
  let driven: DrivenExecution;
  try {
    driven = driveExecution(host, drive, speed);
  } catch (error) {
    // Close the host, so that nothing keeps the process alive.
    await host.close({ isHurried: true, hasFault: true });
    throw error;
  }
  if (host.session !== undefined) recordControl(host);
  host.heartbeat.start();
  let isHurried = false;
  const untilClosed = async () => {
    let hasFault = true;
    try {
      await driven.done;
      hasFault = false;
    } finally {
      await host.close({ isHurried, hasFault });
    }
  };
  const { execution_id, run_number } = drive;
  return {
    execution_id,
    run_number,
    /**
     * Resolves when the execution has ended, however it ended; rejects if it cannot continue here but can
     * be resumed.
     */
    done: untilClosed(),
    /** Asks the execution to stop; `done` settles later. */
    stop(reason: string) {
      isHurried = true;
      return driven.stop(reason);
    },
    /** Records that this process is about to exit. Returns whether the execution can be resumed. */
    leaveAtOnce: () => driven.leaveAtOnce(),
  };
}
