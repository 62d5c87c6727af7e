import { type Agent, type AgentContext, typesRead, handlePatiently } from '../agents/agent.ts';
import type { Delivery } from '../broker/connection.ts';
import { placeOfFile } from '../domain/slice-returns.ts';
import { decodedOf } from '../exchange/wire.ts';
import { NoSuchFile, NotFetched } from '../files/http-reader.ts';
import { pause } from '../lib/deadline.ts';
import { messageOf, SwfError } from '../lib/errors.ts';
import type { LogLine } from '../lib/logger.ts';
import { setNewest } from '../lib/once-for.ts';
import { messageIdOf } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { ExecutionState } from '../messages/telemetry.ts';
import { type FilePlace, seeSharedFile } from './data-access.ts';
import type { Surroundings } from './part.ts';
import type { About } from './speaker.ts';

export interface ReadingAgentOptions extends Surroundings {
  agent: Agent;
}

/**
 * How many messages may wait for their recorder. Beyond that, the oldest are dropped; the recorder sends them
 * again when it is back.
 */
const maxUnheard = 200;

/** How many ended executions to remember. */
const maxEnded = 1000;

/** How long, in milliseconds, to wait before retrying a message after a fixable error. */
const againMilliseconds = 30_000;

interface Hand {
  message: Message & { execution_id: string };
  /** The message's execution and store: two stores may have executions with the same name. */
  key: string;
  storeId: string | undefined;
  acknowledge: () => void;
  /** Aborted when the message no longer needs an answer. */
  dropped: AbortController;
}

/**
 * An agent without a store: reads broadcasts, sends its answers, and acknowledges a broadcast once its
 * answers are confirmed. Reads the messages of one execution in order.
 */
export function createReadingAgent(options: ReadingAgentOptions) {
  const { namespace, lifetime, views, speaker, onChange } = options;
  const { draining } = lifetime;
  const reads = typesRead(options.agent);
  const inHand = new Map<string, Hand>();
  const chains = createChains((error) => lifetime.fail(error));
  const unheard = createUnheard();
  /** Works on one message. The answers to it are confirmed while the next message is being read. */
  async function work(id: string, hand: Hand) {
    const state = await stateOf(hand, options);
    unheard.delete(hand);
    if (state === undefined && draining.aborted) return;
    const says = state?.status === 'running' ? await answer(hand, state, options) : [];
    // The message stays with the broker, for the next process.
    if (says === undefined) return;
    const about = aboutOf(hand);
    const said = says.map((draft) => speaker.say(draft, about));
    void acknowledgeAfter(said, id, hand);
  }
  async function acknowledgeAfter(said: Promise<boolean>[], id: string, hand: Hand) {
    await Promise.all(said);
    hand.acknowledge();
    inHand.delete(id);
    onChange();
  }

  return {
    /** The ids of the messages in hand. */
    inHand: () => [...inHand.values()].map(({ message }) => messageIdOf(message)),
    /** Whether messages wait for their recorder. */
    hasUnheard: unheard.hasAny,
    /** Resolves when the work in hand is done. */
    settled: chains.settled,
    take(delivery: Delivery) {
      if (draining.aborted) return;
      const decoded = decodedOf(delivery);
      const acknowledge = () => delivery.acknowledge();
      const message = decoded.kind === 'message' ? decoded.message : undefined;
      const { store_id: storeId } = delivery.headers;
      const key = `${storeId} ${message?.execution_id}`;
      if (message?.msg_type === 'workflow_ended') unheard.noteEnd(key);
      if (message?.execution_id === undefined || message.namespace !== namespace || !reads.has(message.msg_type))
        return acknowledge();
      const id = `${storeId} ${messageIdOf(message)}`;
      const known = inHand.get(id);
      // Redelivered because the connection broke: the work in hand will answer this delivery too.
      if (known !== undefined) {
        known.acknowledge = acknowledge;
        return;
      }
      const { execution_id } = message;
      const dropped = new AbortController();
      const hand: Hand = { message: { ...message, execution_id }, key, storeId, acknowledge, dropped };
      inHand.set(id, hand);
      if (views.stateOf(execution_id, storeId) === undefined) unheard.note(hand);
      onChange();
      chains.add(key, () => work(id, hand));
    },
  };
}

/** Does the work for each key in order. */
function createChains(onFault: (error: unknown) => void) {
  const chains = new Map<string, Promise<void>>();
  return {
    settled: () => Promise.all(chains.values()),
    add(key: string, work: () => Promise<void>) {
      const before = chains.get(key) ?? Promise.resolve();
      const chain = before
        .then(work)
        .catch(onFault)
        .finally(() => {
          if (chains.get(key) === chain) chains.delete(key);
        });
      chains.set(key, chain);
    },
  };
}

/** Messages in hand whose executions no recorder has reported. */
function createUnheard() {
  /** The oldest first. */
  const hands = new Set<Hand>();
  /** Executions that ended before any recorder reported them. */
  const ended = new Map<string, true>();
  return {
    hasAny: () => hands.size > 0,
    delete: (hand: Hand) => void hands.delete(hand),
    note(hand: Hand) {
      if (ended.has(hand.key)) hand.dropped.abort();
      hands.add(hand);
      const waiting = [...hands].filter(({ dropped }) => !dropped.signal.aborted);
      if (waiting.length > maxUnheard) waiting[0]?.dropped.abort();
    },
    /** Call when no recorder will report this execution's state again. */
    noteEnd(key: string) {
      setNewest(ended, key, true, maxEnded);
      for (const hand of hands) if (hand.key === key) hand.dropped.abort();
    },
  };
}

/** Waits for the first report on the execution. Returns undefined if it gives up waiting. */
async function stateOf({ message, storeId, dropped }: Hand, { views, lifetime: { draining } }: ReadingAgentOptions) {
  const { signal } = dropped;
  let state = views.stateOf(message.execution_id, storeId);
  while (state === undefined && !draining.aborted && !signal.aborted) {
    await views.changed(signal);
    state = views.stateOf(message.execution_id, storeId);
  }
  return state;
}

/** The agent's answer to a message; undefined if this process does not answer it. */
async function answer(hand: Hand, state: ExecutionState, options: ReadingAgentOptions) {
  const { agent, agentLog: log, speaker, views, lifetime } = options;
  const { draining } = lifetime;
  const { message, storeId = state.store_id } = hand;
  const { execution_id } = message;
  const file_url = 'file_url' in message ? message.file_url : undefined;
  const filename = ('filename' in message ? message.filename : undefined) ?? '';
  const { makesFiles = false } = agent;
  for (;;)
    try {
      return await handle(hand, state, { execution_id, filename, file_url, storeId, makesFiles }, options);
    } catch (error) {
      if (error instanceof SwfError) {
        log.write({ level: 'ERROR', message: `retrying ${messageIdOf(message)}: ${error.line}` }, execution_id);
        const over = views.overFor(execution_id, storeId);
        await pause(againMilliseconds, [draining, over]);
        if (over.aborted) return [];
        if (draining.aborted) return undefined;
        continue;
      }
      log.write({ level: 'ERROR', message: messageOf(error) }, execution_id);
      await speaker.stop(aboutOf(hand), { reason: messageOf(error), filename });
      return [];
    }
}

/**
 * Gives no answer if the file is unavailable: another agent may have it, and the recorder sends the message
 * again when such an agent is on duty.
 */
async function handle({ message }: Hand, state: ExecutionState, place: FilePlace, options: ReadingAgentOptions) {
  const { access, agent, agentLog: log, name, onStep, params, views, lifetime, offDuty } = options;
  const { execution_id } = message;
  const leave = (why: string): Draft[] => {
    const isMended = () => access.isMended(place);
    offDuty.add({ reason: 'NO_FILE', name: placeOfFile(place.file_url ?? ''), isMended }, why);
    return [];
  };
  const found = access.of(place);
  if ('obstacle' in found) return leave(found.obstacle);
  const lines: LogLine[] = [];
  const began = performance.now();
  try {
    await seeSharedFile(found, place, [lifetime.draining, views.overFor(execution_id, place.storeId)]);
    const says = await handlePatiently({ agent, name }, message, contextOf(state, params, found.files), lines);
    onStep((performance.now() - began) / 1000);
    for (const line of lines) log.write(line, execution_id);
    return says;
  } catch (error) {
    if (!(error instanceof NotFetched)) throw error;
    if (!(error instanceof NoSuchFile)) return leave(error.message);
    log.write({ level: 'ERROR', message: error.line }, execution_id);
    return [];
  }
}

const aboutOf = ({ message: { execution_id, run_id }, storeId }: Hand): About => ({ execution_id, run_id, storeId });

/** An execution as reported by its recorder, for an agent on this host. */
function contextOf(state: ExecutionState, { data, worker }: Surroundings['params'], files: AgentContext['files']) {
  const { workflow_params, plan_version, max_retries, execution_id, run_id } = state;
  const params = { ...workflow_params, plan_version, data, worker: { ...worker, max_retries } };
  return { execution_id, run_number: Number(run_id), params, files, message: () => undefined };
}
