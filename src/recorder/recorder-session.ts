import type { BrokerConnection, Delivery, Subscription } from '../broker/connection.ts';
import { requireExecution } from '../db/execution/find-execution.ts';
import { dropUnsentSlices, reviveUnsendable } from '../db/log/outbox.ts';
import { storeId } from '../db/log/store-identity.ts';
import { pollStore } from '../db/sqlite/other-writers.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { AgentDirectory } from '../exchange/agent-directory.ts';
import type { BrokerChoice } from '../exchange/broker-start.ts';
import { ExecutionViews } from '../exchange/execution-views.ts';
import { recorderSubscription, resultsOfStore } from '../exchange/names.ts';
import { type Ear, createForeignEar, layoutSubscriptions, namespaceInUse } from '../exchange/namespace-guard.ts';
import type { Destinations } from '../messages/destinations.ts';
import { Notifier } from '../messages/notifier.ts';
import { messageTypes } from '../messages/vocabulary.ts';
import { BrokerLink } from './broker-link.ts';
import { Inbox } from './inbox.ts';
import { takeLeftovers } from './leftovers.ts';
import { Outbox } from './outbox.ts';
import { createRepeatedStarts } from './repeated-starts.ts';
import { Resending } from './resending.ts';
import { createRestingWorkers, type RestingWorkers } from './resting-workers.ts';
import { createStateSpeaker, type StateSpeaker } from './state-speaker.ts';
import type { Surroundings } from './surroundings.ts';
import { createTelemetryInbox } from './telemetry.ts';
import { createUnheardWorkers } from './unheard-workers.ts';

export interface RecorderOptions
  extends BrokerChoice, Pick<Surroundings, 'store' | 'namespace' | 'destinations' | 'warn' | 'onFault'> {}

/**
 * How long an ending process waits for the broker to confirm its last messages, in milliseconds; `hurried` if somebody waits for the end. The store's
 * next process sends the messages still unsent.
 */
const lastMessagesMilliseconds = { usual: 30_000, hurried: 1000 } as const;

/** `none`: the store can no longer take receipts. */
export type LastMessages = keyof typeof lastMessagesMilliseconds | 'none';

/** A wait too short to report. */
const quietMilliseconds = 1000;

export async function openRecorderSession(broker: BrokerConnection, options: RecorderOptions) {
  const id = await options.store.write((tx) => {
    reviveUnsendable(tx, options.namespace);
    return storeId(tx);
  });
  const session = new RecorderSession(broker, id, options);
  // An earlier recorder may have left rows unsent.
  session.committed();
  return session;
}

/**
 * The broker's side of a recorder: sends the log's messages for others, records their messages, reports how its executions are, hears which agents
 * there are, and resends work that nobody has.
 */
export class RecorderSession {
  readonly broker: BrokerConnection;
  readonly storeId: string;
  readonly destinations: Destinations;
  /** Wakes the parts of this process, whichever process has recorded something. */
  readonly notifier: Notifier;
  /** Other recorders' executions, as they report them, and our own. */
  readonly views = new ExecutionViews();
  readonly directory = new AgentDirectory();
  readonly repeatedStarts = createRepeatedStarts(this.directory);
  readonly link: BrokerLink;
  readonly #options: RecorderOptions;
  /** Hears programs of other makes: this process leaves the namespace to them. */
  readonly #ear: Ear;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #states: StateSpeaker;
  /** The workers that fail what others do. */
  readonly resting: RestingWorkers;
  readonly #resending: Resending;
  readonly #listener: BrokerConnection;
  readonly #endPoll: () => void;
  /** Executions that ended while the broker was away. */
  readonly #leftovers = new Set<string>();

  constructor(broker: BrokerConnection, id: string, options: RecorderOptions) {
    const { store, namespace, destinations, warn, onFault } = options;
    this.broker = broker;
    this.storeId = id;
    this.destinations = destinations;
    this.#options = options;
    // Over a broker time is real or scaled, and nothing waits for everybody to be idle.
    const notifier = new Notifier({ enter: () => {}, leave: () => {} });
    this.notifier = notifier;
    const { views, directory } = this;
    const shared = { store, namespace, storeId: id, destinations, broker, onFault, warn, directory, views, notifier };
    this.#ear = createForeignEar(namespace, (heard) => onFault(namespaceInUse(namespace, [heard], true)));
    this.#outbox = new Outbox({
      ...shared,
      replyTo: () => (broker.hasSelectors() ? undefined : resultsOfStore(destinations.results, namespace, id)),
      onUnsendable: (messageId, error) => warn(`${messageId} is not sent: ${error.line}`),
    });
    const unheard = createUnheardWorkers(shared);
    this.#resending = new Resending({
      ...shared,
      resend: () => this.#outbox.resend(),
      onLost: (messageIds) => unheard.noteLost(messageIds),
    });
    this.#inbox = new Inbox({
      ...shared,
      onHeard: () => this.link.noteSign(),
      onRecorded: (types) => notifier.announce(types),
      onBroadcast: (delivery) => this.#ear(destinations.broadcast, delivery),
      onStray: (executionId) => warn(strayWarning(executionId, namespace)),
      onReturned: (message) => this.#resending.noteReturn(message),
      onStarted: (message) => this.repeatedStarts.note(message),
      onAttempt: (message) => this.resting.note(message.execution_id, message),
      onWorker: (agent) => unheard.noteWord(agent),
      onRegistered: (message) => void this.#resending.notePlace(message),
    });
    this.link = new BrokerLink({ ...shared, isSpeaking: () => this.#states.isSpeaking() });
    const telemetry = createTelemetryInbox({
      ...shared,
      onHeard: () => this.link.noteHeard(),
      onNewcomer: () => this.#states.sayAll(),
    });
    this.resting = createRestingWorkers({
      warn,
      isPresent: (agent) => directory.isPresent(agent),
      onChange: (executionId) => this.#states.sayAll(executionId),
    });
    this.#states = createStateSpeaker({
      ...shared,
      restingOf: (executionId) => this.resting.of(executionId),
      onSaid: (state) => views.hear(state),
    });
    this.#hearOnly(telemetry);
    this.#listener = this.#listenDurably();
    this.#endPoll = pollStore(store.db, () => {
      notifier.announce(messageTypes);
      this.#outbox.pump();
    });
  }

  connectApart(): BrokerConnection {
    const { connect, settings, warn } = this.#options;
    return connect(settings, (error) => warn(error.line));
  }

  /** Call when rows have been committed that may have to be sent. */
  committed(): void {
    this.#outbox.pump();
  }

  /** Records a delivery as it is, or as rejected for this reason. */
  record(destination: string, delivery: Delivery, refusal?: string): Promise<void> {
    return this.#inbox.record(destination, delivery, refusal);
  }

  /** Call when this process starts driving an execution. @param sender the agent that speaks for it */
  drives(executionId: string, { params, sender }: { params: ExecutionParams; sender: string }): void {
    this.resting.add(executionId, params);
    this.#states.add(executionId, sender, params);
    this.#resending.add(executionId, params);
  }

  /** Call when the execution has ended or this process leaves it. */
  async drivesNoMore(executionId: string, hasEnded: boolean): Promise<void> {
    const hasSentAgain = this.#resending.remove(executionId);
    if (!hasEnded) this.#states.remove(executionId);
    this.repeatedStarts.forget(executionId);
    this.resting.forget(executionId);
    const { status } = requireExecution(this.#options.store.sql, executionId);
    // A completed execution has no slices left, unless some were sent twice.
    if (!hasEnded || (!hasSentAgain && status === 'completed')) return;
    await this.#options.store.write((tx) => dropUnsentSlices(tx, executionId));
    if (this.broker.isUp()) await this.#takeLeftovers(executionId);
    else this.#leftovers.add(executionId);
  }

  #takeLeftovers(executionId: string): Promise<void> {
    return takeLeftovers(executionId, { ...this.#options, broker: this.broker, storeId: this.storeId });
  }

  /** Sends the remaining messages, for a while, and closes the connection. */
  async close(lastMessages: LastMessages = 'usual'): Promise<void> {
    if (lastMessages !== 'none') await this.#flush(lastMessagesMilliseconds[lastMessages]);
    await this.#states.close();
    this.#endPoll();
    this.link.close();
    this.#outbox.close();
    this.#resending.close();
    this.resting.close();
    this.views.close();
    await Promise.all([this.#listener.close(), this.broker.close()]);
  }

  async #flush(patience: number): Promise<void> {
    const { warn } = this.#options;
    if (await this.#outbox.flushed(quietMilliseconds)) return;
    warn(`the broker has not confirmed all messages; waiting up to ${patience / 1000} s for it`);
    if (!(await this.#outbox.flushed(patience)))
      warn('some messages are still unconfirmed; the next recorder of this store and namespace sends them');
  }

  #hearOnly(telemetry: Subscription): void {
    const { broker, destinations, storeId: store } = this;
    const { namespace } = this.#options;
    broker.subscribe(this.#inbox.unmarked(destinations.broadcast));
    for (const subscription of layoutSubscriptions(this.#options.listening.layout, this.#ear))
      broker.subscribe(subscription);
    const place = broker.hasSelectors() ? undefined : resultsOfStore(destinations.results, namespace, store);
    broker.subscribe(this.#inbox.work('results', destinations.results, place === undefined ? { store } : { place }));
    broker.subscribe(telemetry);
    broker.onUp(() => {
      for (const executionId of this.#leftovers) void this.#takeLeftovers(executionId);
      this.#leftovers.clear();
    });
  }

  /** Makes the broker keep messages sent while the recorder is down. The subscription needs a connection with its own client id. */
  #listenDurably(): BrokerConnection {
    const { namespace, destinations, settings, connect, warn } = this.#options;
    const durableName = recorderSubscription(namespace, this.storeId);
    const listener = connect({ ...settings, clientId: durableName }, (error) => warn(error.line));
    void listener.connect({ once: false });
    listener.subscribe({ ...this.#inbox.work('durable', destinations.broadcast), durableName });
    return listener;
  }
}

const strayWarning = (executionId: string, namespace: string): string =>
  `messages of ${executionId}, which this store does not know, come here: another store uses namespace ${namespace} on this broker; they are recorded without effect`;
