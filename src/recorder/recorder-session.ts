import type { BrokerConnection, Delivery } from '../broker/connection.ts';
import { requireExecution } from '../db/execution/find-execution.ts';
import { dropUnsentSlices, reviveUnsendable } from '../db/log/outbox.ts';
import { storeId } from '../db/log/store-identity.ts';
import { pollStore } from '../db/sqlite/other-writers.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { createAgentDirectory } from '../exchange/agent-directory.ts';
import type { BrokerChoice } from '../exchange/broker-start.ts';
import { ExecutionViews } from '../exchange/execution-views.ts';
import { createForeignEar, layoutSubscriptions, namespaceInUse } from '../exchange/namespace-guard.ts';
import { recorderSubscription, resultsOfStore } from '../exchange/wire.ts';
import { sliceMessageId } from '../messages/identity.ts';
import { createNotifier } from '../messages/notifier.ts';
import { messageTypes, vocabulary } from '../messages/vocabulary.ts';
import { createBrokerLink } from './broker-link.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createOutbox, type Outbox, takeLeftovers } from './outbox.ts';
import { createResending } from './resending.ts';
import { createStateSpeaker } from './state-speaker.ts';
import type { Surroundings } from './surroundings.ts';
import { createTelemetryInbox } from './telemetry.ts';
import { createRepeatedStarts, createRestingWorkers, createUnheardWorkers } from './workers.ts';

interface RecorderOptions
  extends BrokerChoice, Pick<Surroundings, 'store' | 'namespace' | 'destinations' | 'warn' | 'onFault'> {}

/**
 * How long an ending process waits for the broker to confirm its last messages, in milliseconds; `hurried`
 * if a user is waiting for the end. The store's next process sends the messages still unsent.
 */
const lastMessagesMilliseconds = { usual: 30_000, hurried: 1000 } as const;

/** `none`: the store can no longer record receipts. */
type LastMessages = keyof typeof lastMessagesMilliseconds | 'none';

/** A wait too short to report, in milliseconds. */
const quietMilliseconds = 1000;

/** The needs of every part of a recorder, and how the recorder connects. */
type Shared = RecorderOptions & Surroundings;

export type RecorderSession = Awaited<ReturnType<typeof openRecorderSession>>;

/**
 * The broker's side of a recorder: sends the log's messages for others, records their messages, reports the
 * states of its executions, receives the reports of agents, and resends work that no agent has.
 */
export async function openRecorderSession(broker: BrokerConnection, options: RecorderOptions) {
  const { store, destinations } = options;
  const id = await store.write((tx) => {
    reviveUnsendable(tx, options.namespace);
    return storeId(tx);
  });
  const notifier = createNotifier();
  const views = new ExecutionViews();
  const directory = createAgentDirectory();
  const shared: Shared = { ...options, broker, storeId: id, directory, views, notifier };
  const parts = createParts(shared);
  const { inbox, outbox } = parts;
  const listener = listenDurably(shared, inbox);
  const endPoll = pollStore(store.db, () => {
    notifier.announce(messageTypes);
    outbox.pump();
  });
  // An earlier recorder may have left rows unsent.
  outbox.pump();
  return {
    broker,
    storeId: id,
    destinations,
    /** Wakes the parts of this process when any process has recorded something. */
    notifier,
    /** The executions that other recorders report, and our own. */
    views,
    directory,
    repeatedStarts: parts.repeatedStarts,
    link: parts.link,
    /** The workers that rest because slices that fail on them succeed elsewhere. */
    resting: parts.resting,
    ...drivingOf(shared, parts),
    connectApart: () => options.connect(options.settings, (error) => options.warn(error.line)),
    /** Call after committing rows that may have to be sent. */
    committed: () => outbox.pump(),
    /** Records a delivery as it is, or as rejected if there is a `refusal`, which states the reason. */
    record: (destination: string, delivery: Delivery, refusal?: string) => inbox.record(destination, delivery, refusal),
    /** Sends the remaining messages, for a limited time, and closes the connection. */
    async close(lastMessages: LastMessages = 'usual') {
      if (lastMessages !== 'none') await flush(outbox, lastMessagesMilliseconds[lastMessages], options.warn);
      await parts.states.close();
      endPoll();
      for (const part of [parts.link, outbox, parts.resending, parts.resting, views]) part.close();
      await Promise.all([listener.close(), broker.close()]);
    },
  };
}

/** Creates the parts of a recorder, and subscribes to the destinations that they read. */
function createParts(shared: Shared) {
  const { broker, namespace, destinations, storeId: id, directory, views, notifier, warn, listening } = shared;
  // If programs other than swf-mcp use the namespace, this process leaves it to them.
  const ear = createForeignEar(namespace, (heard) => shared.onFault(namespaceInUse(namespace, [heard], true)));
  const resultsApart = () => (broker.hasSelectors() ? undefined : resultsOfStore(destinations.results, namespace, id));
  const repeatedStarts = createRepeatedStarts(directory);
  const unheard = createUnheardWorkers(shared);
  const outbox = createOutbox({
    ...shared,
    replyTo: resultsApart,
    onUnsendable: (messageId, error) => warn(`${messageId} was not sent: ${error.line}`),
  });
  const resending = createResending({
    ...shared,
    resend: () => outbox.resend(),
    onLost: (messageIds) => unheard.noteLost(messageIds),
  });
  const inbox = createInbox({
    ...shared,
    onHeard: () => link.noteSign(),
    onRecorded: (types) => notifier.announce(types),
    onBroadcast: (delivery) => ear(destinations.broadcast, delivery),
    onStray: (executionId) => warn(strayWarning(executionId, namespace)),
    onMessage(message, { isNew, wasOver }) {
      const { msg_type } = message;
      if (vocabulary[msg_type].destination === 'results') unheard.noteWord(message.sender);
      if (msg_type === 'slice_returned') resending.noteReturn(message);
      else if (msg_type === 'slice_started') {
        repeatedStarts.note(message);
        // A broker that was killed may redeliver slices whose results are already recorded.
        if (wasOver) states.sayAll(message.execution_id, false, [sliceMessageId(message.execution_id, message)]);
        resending.noteStart(message);
      } else if (msg_type === 'tf_file_registered') void resending.notePlace(message);
      if (isNew && (msg_type === 'slice_started' || msg_type === 'slice_result'))
        resting.note(message.execution_id, message);
    },
  });
  const link = createBrokerLink({ ...shared, isSpeaking: () => states.isSpeaking() });
  const telemetry = createTelemetryInbox({
    ...shared,
    onHeard: () => link.noteHeard(),
    onNewcomer: () => states.sayAll(),
  });
  const resting = createRestingWorkers({
    warn,
    isPresent: (agent) => directory.isPresent(agent),
    onChange: (executionId) => states.sayAll(executionId),
  });
  const states = createStateSpeaker({
    ...shared,
    restingOf: (executionId) => resting.of(executionId),
    onSaid: (state) => views.hear(state),
  });
  broker.subscribe(inbox.unmarked(destinations.broadcast));
  for (const subscription of layoutSubscriptions(listening.layout, ear)) broker.subscribe(subscription);
  const place = resultsApart();
  broker.subscribe(inbox.work('results', destinations.results, place === undefined ? { store: id } : { place }));
  broker.subscribe(telemetry);
  return { inbox, outbox, resending, repeatedStarts, resting, states, link };
}

/** Keeps track of the executions that this process drives. */
function drivingOf(shared: Shared, { repeatedStarts, resting, resending, states }: ReturnType<typeof createParts>) {
  const { broker, store } = shared;
  /** Executions that ended while the broker was away. */
  const leftovers = new Set<string>();
  broker.onUp(() => {
    for (const executionId of leftovers) void takeLeftovers(executionId, shared);
    leftovers.clear();
  });
  return {
    /** Call when this process starts driving an execution. @param sender the agent that sends its messages */
    drives(executionId: string, { params, sender }: { params: ExecutionParams; sender: string }) {
      resting.add(executionId, params);
      states.add(executionId, sender, params);
      resending.add(executionId, params);
    },
    /** Call when the execution has ended or this process leaves it. */
    async drivesNoMore(executionId: string, hasEnded: boolean) {
      const hasSentAgain = resending.remove(executionId);
      if (!hasEnded) states.remove(executionId);
      repeatedStarts.forget(executionId);
      resting.forget(executionId);
      const { status } = requireExecution(store.sql, executionId);
      // A completed execution has no slices left on the queue, unless some were sent twice.
      if (!hasEnded || (!hasSentAgain && status === 'completed')) return;
      await store.write((tx) => dropUnsentSlices(tx, executionId));
      if (broker.isUp()) await takeLeftovers(executionId, shared);
      else leftovers.add(executionId);
    },
  };
}

async function flush(outbox: Outbox, patience: number, warn: (message: string) => void) {
  if (await outbox.flushed(quietMilliseconds)) return;
  warn(`the broker has not confirmed all messages; waiting up to ${patience / 1000} s`);
  if (!(await outbox.flushed(patience)))
    warn('some messages are still unconfirmed; the next recorder of this store and namespace sends them');
}

/**
 * Makes the broker keep messages sent while the recorder is down. The subscription needs a connection with
 * its own client id.
 */
function listenDurably(shared: Shared, inbox: Inbox) {
  const { namespace, storeId: id, destinations, settings, connect, warn } = shared;
  const durableName = recorderSubscription(namespace, id);
  const listener = connect({ ...settings, clientId: durableName }, (error) => warn(error.line));
  void listener.connect({ once: false });
  listener.subscribe({ ...inbox.work('durable', destinations.broadcast), durableName });
  return listener;
}

const strayWarning = (executionId: string, namespace: string) =>
  `messages of ${executionId}, which this store does not know, are arriving: another store uses namespace ${namespace} on this broker; those messages are recorded without effect`;
