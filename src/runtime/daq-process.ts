import type { Delivery } from '../broker/connection.ts';
import { beginExecution, type Drive } from '../db/driving/take-over.ts';
import { unsentOf } from '../db/log/outbox.ts';
import { noteRequestInHand } from '../db/presence/recorders.ts';
import type { BrokerChoice } from '../exchange/broker-start.ts';
import { aborted, withDeadline } from '../lib/deadline.ts';
import { SwfError } from '../lib/errors.ts';
import { isAlive } from '../lib/process-identity.ts';
import { readPayload } from '../payload/payload-name.ts';
import { selfOf, startRemoteHeartbeat } from '../remote/reports.ts';
import { listenToControl, readControlMessage, type RequestSurroundings, takeRequest } from './control-queue.ts';
import { refuseForeignFolder } from './data-folder.ts';
import { driveExecution, type DrivenExecution } from './driven-execution.ts';
import { driverSelf, enterHost, type Host, type HostOptions } from './host.ts';
import { startTakeUp } from './take-up.ts';

/**
 * The options of the DAQ simulator as a separate process, which takes requests from the control queue and
 * drives each execution that it starts.
 */
interface DaqAgentOptions extends HostOptions, RequestSurroundings {
  broker: BrokerChoice;
  /** Aborted when the agent is to stop, perhaps while it is still waiting for its broker. */
  interrupted: AbortSignal;
}

/** How long an ending service waits for the broker to accept its last heartbeat, in milliseconds. */
const lastBeatMilliseconds = 1000;

/** Throws `STORE_…`, `BROKER_REFUSED` and `EXECUTION_IN_USE` before the agent starts. */
export async function startDaqAgent(options: DaqAgentOptions) {
  const patience = { patient: true, signal: options.interrupted };
  const { host } = await enterHost(options, ['daq_simulator', 'fast_processing'], () => {}, patience);
  const { lifetime, store, namespace, heartbeat } = host;
  /** Requests being handled: usually one, but the broker may redeliver a request that is still being handled. */
  const taking = new Set<Promise<void>>();
  const driving = createDriving(host);
  /** Delays the next request until `begun` has settled. */
  const awaitTaking = (begun: Promise<void>) => {
    const over: Promise<void> = begun
      .catch((error: unknown) => lifetime.fail(error))
      .finally(() => taking.delete(over));
    taking.add(over);
  };
  const handling = {
    async takeNew(delivery: Delivery, id: string) {
      const drive = await begin(delivery, id, host, options);
      if (drive !== undefined) driving.drive(drive);
    },
    refuse: (delivery: Delivery, refusal: string) => record(delivery, refusal, host),
    follow: awaitTaking,
  };
  const endListening = listenToControl(host, (delivery) => {
    if (lifetime.draining.aborted) return;
    awaitTaking(Promise.all(taking).then(() => takeRequest(host, delivery, handling)));
  });
  const takeUp = startTakeUp(host, {
    // An execution that this process is starting counts as driven, although it is not driven yet.
    isDriving: (executionId) => driving.has(executionId) || taking.size > 0,
    onTaken: (drive) => driving.drive(drive),
  });
  const work = async () => {
    heartbeat.start();
    const beat = sayAlive(host);
    try {
      await aborted(lifetime.draining);
      await takeUp.close();
      await Promise.all(taking);
      endListening();
      await driving.leaveAll();
      lifetime.throwFault();
    } finally {
      // A broker that does not answer causes no delay: the next recorder sends whatever the broker has not
      // confirmed.
      await withDeadline(beat.close(), lastBeatMilliseconds, undefined);
      await host.close({ isHurried: true });
    }
  };
  return {
    name: host.nameOf('daq_simulator'),
    done: work(),
    stop: () => lifetime.drain(),
    figures: () => ({ unsent: unsentOf(store.sql, namespace), behind: {}, slots: {}, offDuty: {} }),
  };
}

/** Sends heartbeats, so that waiting agents find this recorder. */
function sayAlive(host: Host) {
  const { recorder, namespace, options } = host;
  const { broker, destinations, storeId: store_id } = recorder;
  const self = { ...selfOf(host.nameOf('daq_simulator'), 'daq_simulator', options.version), store_id };
  const report = () => ({ in_hand: [], free_slots: 0, off_duty: [] });
  return startRemoteHeartbeat({ broker, namespace, destination: destinations.telemetry, self, report });
}

/** The executions that a service drives. */
function createDriving(host: Host) {
  const { lifetime } = host;
  const { log } = host.options;
  const running = new Map<string, { driven: DrivenExecution; ended: Promise<void> }>();
  /**
   * A fault in one execution (for example in its folder) does not affect the others; the execution is
   * resumed later. Without the store, everything stops.
   */
  const leave = (executionId: string, error: unknown) => {
    if (!(error instanceof SwfError) || error.code.startsWith('STORE_')) lifetime.fail(error);
    else log.write({ level: 'ERROR', message: `${executionId} could not continue: ${error.line}` });
  };
  return {
    has: (executionId: string) => running.has(executionId),
    drive(drive: Drive) {
      const { execution_id } = drive;
      const driven = driveExecution(host, drive);
      const ended = driven.done
        .catch((error: unknown) => leave(execution_id, error))
        .finally(() => {
          if (running.get(execution_id)?.driven === driven) running.delete(execution_id);
        });
      running.set(execution_id, { driven, ended });
    },
    /**
     * A stopped service is usually restarted, perhaps in a newer version, and the restarted service resumes
     * the executions that this one leaves.
     */
    async leaveAll() {
      const left = [...running];
      for (const [executionId, { driven }] of left) {
        const message = `left ${executionId} unfinished; the next recorder resumes it. To end it: "swf-mcp stop ${executionId}"`;
        if (lifetime.fault === undefined) log.write({ level: 'WARNING', message });
        driven.leave();
      }
      await Promise.all(left.map(([, { ended }]) => ended));
    },
  };
}

/** The execution that a request starts. Undefined if the request starts none; the reason is recorded. */
async function begin(delivery: Delivery, id: string, host: Host, around: RequestSurroundings) {
  const { store, options, processId: process_id, agents, namespace } = host;
  const request = readControlMessage(delivery, id, around);
  if (request.kind === 'other') {
    await record(delivery, request.refusal, host);
    return undefined;
  }
  const { command, config } = request;
  const { payload } = config.worker;
  if (payload !== undefined) await readPayload(payload, options.environment['PATH']);
  try {
    const drive = await store.write((tx) => {
      const driver = driverSelf(options, { process_id, agents }, command.speed);
      const begun = beginExecution(store, tx, command, driver, isAlive);
      if (begun !== undefined) refuseForeignFolder(config, begun);
      if (delivery.id === undefined && command.command_id === id) noteRequestInHand(tx, namespace, id);
      return begun;
    });
    if (drive !== undefined)
      options.log.write({
        level: 'WARNING',
        message: `starting ${drive.execution_id}, requested by ${command.sender}`,
      });
    return drive;
  } catch (error) {
    if (!(error instanceof SwfError) || error.code !== 'CONFIG_INVALID') throw error;
    await record(delivery, error.line, host);
    return undefined;
  }
}

/** Records a message that starts no execution. */
function record(delivery: Delivery, refusal: string | undefined, { recorder, options }: Host) {
  if (refusal !== undefined)
    options.log.write({ level: 'WARNING', message: `refused a request on the control queue: ${refusal}` });
  return recorder.record(recorder.destinations.control, delivery, refusal);
}
