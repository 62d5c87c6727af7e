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
import type { MessageType } from '../messages/vocabulary.ts';
import { type FilePlace, seeSharedFile } from './data-access.ts';
import type { Surroundings } from './part.ts';
import type { About } from './speaker.ts';

export interface ReadingAgentOptions extends Surroundings {
  agent: Agent;
}

/** The most messages that wait to hear their recorder. Beyond that the oldest are dropped: their recorder sends them again when it is back. */
const maxUnheard = 200;

/** The most ended executions to remember. */
const maxEnded = 1000;

/** How often to retry a step that the disk refuses, in milliseconds. */
const againMilliseconds = 30_000;

interface Hand {
  message: Message & { execution_id: string };
  /** Its execution and store: two stores may have executions of one name. */
  key: string;
  storeId: string | undefined;
  acknowledge: () => void;
  /** Aborted when nobody waits for it any longer. */
  dropped: AbortController;
}

/**
 * An agent without a store: reads broadcasts, sends what follows from them, and acknowledges a broadcast once that is confirmed. Reads the messages
 * of one execution in order.
 */
export class ReadingAgent {
  readonly #options: ReadingAgentOptions;
  readonly #draining: AbortSignal;
  readonly #reads: ReadonlySet<MessageType>;
  readonly #inHand = new Map<string, Hand>();
  readonly #chains = new Map<string, Promise<void>>();
  /** Messages in hand of executions that no recorder has reported, the oldest first. */
  readonly #unheard = new Set<Hand>();
  /** Executions that ended before any recorder reported them. */
  readonly #ended = new Map<string, true>();

  constructor(options: ReadingAgentOptions) {
    this.#options = options;
    this.#draining = options.lifetime.draining;
    this.#reads = typesRead(options.agent);
  }

  /** The ids of the messages in hand. */
  get inHand(): string[] {
    return [...this.#inHand.values()].map(({ message }) => messageIdOf(message));
  }

  /** Whether messages wait to hear their recorder. */
  get hasUnheard(): boolean {
    return this.#unheard.size > 0;
  }

  take(delivery: Delivery): void {
    const decoded = decodedOf(delivery);
    const { namespace } = this.#options;
    if (this.#draining.aborted) return;
    const acknowledge = () => delivery.acknowledge();
    const message = decoded.kind === 'message' ? decoded.message : undefined;
    const { store_id: storeId } = delivery.headers;
    const key = `${storeId} ${message?.execution_id}`;
    if (message?.msg_type === 'workflow_ended') this.#noteEnd(key);
    if (message?.execution_id === undefined || message.namespace !== namespace || !this.#reads.has(message.msg_type)) {
      acknowledge();
      return;
    }
    const id = `${storeId} ${messageIdOf(message)}`;
    const known = this.#inHand.get(id);
    // Redelivered because the connection broke: the message in hand answers it.
    if (known !== undefined) {
      known.acknowledge = acknowledge;
      return;
    }
    const { execution_id } = message;
    const dropped = new AbortController();
    const hand: Hand = { message: { ...message, execution_id }, key, storeId, acknowledge, dropped };
    this.#inHand.set(id, hand);
    if (this.#options.views.stateOf(execution_id, hand.storeId) === undefined) this.#noteUnheard(hand);
    this.#options.onChange();
    this.#enqueue(id, hand);
  }

  /** Resolves when the work in hand is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#chains.values());
  }

  #noteUnheard(hand: Hand) {
    if (this.#ended.has(hand.key)) hand.dropped.abort();
    this.#unheard.add(hand);
    const waiting = [...this.#unheard].filter(({ dropped }) => !dropped.signal.aborted);
    if (waiting.length > maxUnheard) waiting[0]?.dropped.abort();
  }

  /** No recorder will report this execution's state again. */
  #noteEnd(key: string) {
    setNewest(this.#ended, key, true, maxEnded);
    for (const hand of this.#unheard) if (hand.key === key) hand.dropped.abort();
  }

  #enqueue(id: string, hand: Hand) {
    const { key } = hand;
    const before = this.#chains.get(key) ?? Promise.resolve();
    const chain: Promise<void> = before
      .then(() => this.#work(id, hand))
      .catch((error: unknown) => this.#options.lifetime.fail(error))
      .finally(() => {
        if (this.#chains.get(key) === chain) this.#chains.delete(key);
      });
    this.#chains.set(key, chain);
  }

  /** Its answers are confirmed while the next message is being read. */
  async #work(id: string, hand: Hand) {
    const { speaker } = this.#options;
    const state = await this.#stateOf(hand);
    if (state === undefined && this.#draining.aborted) return;
    const says = state?.status === 'running' ? await this.#answer(hand, state) : [];
    // The message stays with the broker, for the next process.
    if (says === undefined) return;
    const about = aboutOf(hand);
    const said = says.map((draft) => speaker.say(draft, about));
    void this.#acknowledgeAfter(said, id, hand);
  }

  async #acknowledgeAfter(said: Promise<boolean>[], id: string, hand: Hand) {
    await Promise.all(said);
    hand.acknowledge();
    this.#inHand.delete(id);
    this.#options.onChange();
  }

  /** Waits for the first report on the execution. Undefined if the wait was given up. */
  async #stateOf(hand: Hand): Promise<ExecutionState | undefined> {
    const { views } = this.#options;
    const { execution_id } = hand.message;
    const { signal: dropped } = hand.dropped;
    let state = views.stateOf(execution_id, hand.storeId);
    while (state === undefined && !this.#draining.aborted && !dropped.aborted) {
      await views.changed(dropped);
      state = views.stateOf(execution_id, hand.storeId);
    }
    this.#unheard.delete(hand);
    return state;
  }

  /** The agent's answer to a message; undefined if this process does not answer it. */
  async #answer(hand: Hand, state: ExecutionState): Promise<Draft[] | undefined> {
    const { agent, agentLog: log, speaker, views } = this.#options;
    const { message, storeId = state.store_id } = hand;
    const { execution_id } = message;
    const file_url = 'file_url' in message ? message.file_url : undefined;
    const filename = ('filename' in message ? message.filename : undefined) ?? '';
    const { makesFiles = false } = agent;
    for (;;)
      try {
        return await this.#handle(hand, state, { execution_id, filename, file_url, storeId, makesFiles });
      } catch (error) {
        if (error instanceof SwfError) {
          log.write({ level: 'ERROR', message: `${messageIdOf(message)} is tried again: ${error.line}` }, execution_id);
          const over = views.overFor(execution_id, storeId);
          await pause(againMilliseconds, [this.#draining, over]);
          if (over.aborted) return [];
          if (this.#draining.aborted) return undefined;
          continue;
        }
        log.write({ level: 'ERROR', message: messageOf(error) }, execution_id);
        await speaker.stop(aboutOf(hand), { reason: messageOf(error), filename });
        return [];
      }
  }

  /** Answers nothing if the file is unavailable: another agent may have it, and the recorder sends the message again when one is on duty. */
  async #handle({ message }: Hand, state: ExecutionState, place: FilePlace): Promise<Draft[]> {
    const { access, agent, agentLog: log, name, onStep, params, views } = this.#options;
    const { execution_id } = message;
    const found = access.of(place);
    if ('obstacle' in found) return this.#leave(place, found.obstacle);
    const lines: LogLine[] = [];
    const began = performance.now();
    try {
      await seeSharedFile(found, place, [this.#draining, views.overFor(execution_id, place.storeId)]);
      const says = await handlePatiently({ agent, name }, message, contextOf(state, params, found.files), lines);
      onStep((performance.now() - began) / 1000);
      for (const line of lines) log.write(line, execution_id);
      return says;
    } catch (error) {
      if (!(error instanceof NotFetched)) throw error;
      if (!(error instanceof NoSuchFile)) return this.#leave(place, error.message);
      log.write({ level: 'ERROR', message: error.line }, execution_id);
      return [];
    }
  }

  #leave(place: FilePlace, why: string): [] {
    const { access, offDuty } = this.#options;
    const isMended = () => access.isMended(place);
    offDuty.add({ reason: 'NO_FILE', name: placeOfFile(place.file_url ?? ''), isMended }, why);
    return [];
  }
}

const aboutOf = ({ message: { execution_id, run_id }, storeId }: Hand): About => ({ execution_id, run_id, storeId });

/** An execution as its recorder reports it, for an agent on this host. */
function contextOf(state: ExecutionState, { data, worker }: Surroundings['params'], files: AgentContext['files']) {
  const { workflow_params, plan_version, max_retries, execution_id, run_id } = state;
  const params = { ...workflow_params, plan_version, data, worker: { ...worker, max_retries } };
  return { execution_id, run_number: Number(run_id), params, files, message: () => undefined };
}
