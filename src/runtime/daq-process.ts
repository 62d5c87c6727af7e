import type { Delivery } from '../broker/connection.ts';
import { beginExecution, type Drive } from '../db/driving/take-over.ts';
import { unsentOf } from '../db/log/outbox.ts';
import { noteRequestInHand } from '../db/presence/requests-in-hand.ts';
import type { BrokerChoice } from '../exchange/broker-start.ts';
import { aborted, withDeadline } from '../lib/deadline.ts';
import { SwfError } from '../lib/errors.ts';
import { isAlive } from '../lib/process-identity.ts';
import { readPayload } from '../payload/payload-name.ts';
import type { Figures, RunningAgent } from '../remote/part.ts';
import { selfOf, startRemoteHeartbeat } from '../remote/reports.ts';
import {
  acknowledgeRequest,
  guessedRefusal,
  identifyRequest,
  listenToControl,
  readControlMessage,
  type RequestSurroundings,
  type RunRequest,
} from './control-queue.ts';
import { refuseForeignFolder } from './data-folder.ts';
import { driveExecution, type DrivenExecution } from './driven-execution.ts';
import { driverSelf, enterHost, type Host, type HostOptions } from './host.ts';
import { startTakeUp, type TakeUp } from './take-up.ts';

/** The DAQ simulator as a process of its own. It takes requests from the control queue and drives each execution that it starts. */
interface DaqAgentOptions extends HostOptions, RequestSurroundings {
  broker: BrokerChoice;
  /** Aborted when the agent is to stop, perhaps while it still waits for its broker. */
  interrupted: AbortSignal;
}

/** Throws `STORE_…`, `BROKER_REFUSED` and `EXECUTION_IN_USE` before it works. */
export async function startDaqAgent(options: DaqAgentOptions): Promise<RunningAgent> {
  const patience = { patient: true, signal: options.interrupted };
  const { host } = await enterHost(options, ['daq_simulator', 'fast_processing'], () => {}, patience);
  return new DaqProcess(host, options);
}

/** How long an ending service waits for the broker to take its last heartbeat. */
const lastBeatMilliseconds = 1000;

class DaqProcess implements RunningAgent {
  readonly name: string;
  readonly done: Promise<void>;
  readonly #host: Host;
  readonly #around: RequestSurroundings;
  /** Requests being taken, one after the other: one may be delivered again meanwhile. */
  readonly #taking = new Set<Promise<void>>();
  readonly #endListening: () => void;
  readonly #driving = new Map<string, { driven: DrivenExecution; ended: Promise<void> }>();
  readonly #takeUp: TakeUp;

  constructor(host: Host, around: RequestSurroundings) {
    this.name = host.nameOf('daq_simulator');
    this.#host = host;
    this.#around = around;
    this.#endListening = listenToControl(host, (delivery) => this.#takeLater(delivery));
    this.#takeUp = startTakeUp(host, {
      // An execution that is being started is owned before it is driven.
      isDriving: (executionId) => this.#driving.has(executionId) || this.#taking.size > 0,
      onTaken: (drive) => this.#drive(drive),
    });
    this.done = this.#work();
  }

  stop(): void {
    this.#host.lifetime.drain();
  }

  figures(): Figures {
    const { store, namespace } = this.#host;
    return { unsent: unsentOf(store.sql, namespace), behind: {}, slots: {}, offDuty: {} };
  }

  async #work() {
    const { heartbeat, lifetime } = this.#host;
    heartbeat.start();
    const beat = this.#sayAlive();
    try {
      await aborted(lifetime.draining);
      await this.#takeUp.close();
      await Promise.all(this.#taking);
      this.#endListening();
      // A stopped service mostly comes back, perhaps in a newer version, and then resumes the executions that it leaves now.
      const driving = [...this.#driving];
      for (const [executionId, { driven }] of driving) {
        const message = `${executionId} is left: the next recorder takes it up; "swf-mcp stop ${executionId}" ends it`;
        if (lifetime.fault === undefined) this.#host.options.log.write({ level: 'WARNING', message });
        driven.leave();
      }
      await Promise.all(driving.map(([, { ended }]) => ended));
      lifetime.throwFault();
    } finally {
      // A broker that does not answer delays nobody: the next recorder sends what it has not confirmed.
      await withDeadline(beat.close(), lastBeatMilliseconds, undefined);
      await this.#host.close({ isHurried: true });
    }
  }

  /** For agents that wait for a recorder. */
  #sayAlive() {
    const { recorder, namespace, options } = this.#host;
    const { broker, destinations, storeId: store_id } = recorder;
    const self = { ...selfOf(this.name, 'daq_simulator', options.version), store_id };
    const report = () => ({ in_hand: [], free_slots: 0, off_duty: [] });
    return startRemoteHeartbeat({ broker, namespace, destination: destinations.telemetry, self, report });
  }

  #takeLater(delivery: Delivery) {
    if (this.#host.lifetime.draining.aborted) return;
    this.#awaitTaking(Promise.all(this.#taking).then(() => this.#takeAndAcknowledge(delivery)));
  }

  /** The next request is taken when this is over. */
  #awaitTaking(work: Promise<void>) {
    const taking: Promise<void> = work
      .catch((error: unknown) => this.#host.lifetime.fail(error))
      .finally(() => this.#taking.delete(taking));
    this.#taking.add(taking);
  }

  async #takeAndAcknowledge(delivery: Delivery) {
    const { store, recorder, namespace } = this.#host;
    const { id, isTaken, isGuess } = identifyRequest(store.sql, namespace, delivery);
    if (!isTaken) await this.#take(delivery, id);
    else if (isGuess) await this.#record(delivery, guessedRefusal(id));
    acknowledgeRequest(this.#host, delivery, id, (forgetting) => this.#awaitTaking(forgetting));
    recorder.notifier.announce(['run_workflow', 'stop_workflow', 'pause_workflow', 'resume_workflow']);
  }

  /** Records a request, and starts its execution. Any problem with it is recorded as the reason for its refusal. */
  async #take(delivery: Delivery, id: string) {
    const { log } = this.#host.options;
    const request = readControlMessage(delivery, id, this.#around);
    if (request.kind === 'other') {
      await this.#record(delivery, request.refusal);
      return;
    }
    const drive = await this.#begin(request, delivery, id);
    if (drive === undefined) return;
    const { sender } = request.command;
    log.write({ level: 'WARNING', message: `${drive.execution_id} starts, asked for by ${sender}` });
    this.#drive(drive);
  }

  #drive(drive: Drive) {
    const { execution_id } = drive;
    const driven = driveExecution(this.#host, drive);
    const ended = driven.done
      .catch((error: unknown) => this.#leave(execution_id, error))
      .finally(() => {
        if (this.#driving.get(execution_id)?.driven === driven) this.#driving.delete(execution_id);
      });
    this.#driving.set(execution_id, { driven, ended });
  }

  /** A fault of one execution, such as of its folder, does not concern the others; it is resumed later. Without the store nothing goes on. */
  #leave(executionId: string, error: unknown) {
    const { lifetime, options } = this.#host;
    if (!(error instanceof SwfError) || error.code.startsWith('STORE_')) lifetime.fail(error);
    else options.log.write({ level: 'ERROR', message: `${executionId} could not go on: ${error.line}` });
  }

  /** The execution that a request makes; undefined if it makes no execution, for a reason that is then recorded. */
  async #begin({ command, config }: RunRequest, delivery: Delivery, id: string): Promise<Drive | undefined> {
    const { store, options, processId: process_id, agents, namespace } = this.#host;
    const { payload } = config.worker;
    if (payload !== undefined) await readPayload(payload, options.environment['PATH']);
    try {
      return await store.write((tx) => {
        const driver = driverSelf(options, { process_id, agents }, command.speed);
        const drive = beginExecution(store, tx, command, driver, isAlive);
        if (drive !== undefined) refuseForeignFolder(config, drive);
        if (delivery.id === undefined && command.command_id === id) noteRequestInHand(tx, namespace, id);
        return drive;
      });
    } catch (error) {
      if (!(error instanceof SwfError) || error.code !== 'CONFIG_INVALID') throw error;
      await this.#record(delivery, error.line);
      return undefined;
    }
  }

  /** Records a message that starts nothing. */
  #record(delivery: Delivery, refusal: string | undefined) {
    const { recorder, options } = this.#host;
    if (refusal !== undefined)
      options.log.write({ level: 'WARNING', message: `a request on the control queue is refused: ${refusal}` });
    return recorder.record(recorder.destinations.control, delivery, refusal);
  }
}
