import type { Journal, LoggedMessage, Reading, Step } from '../../src/agents/ports.ts';
import { messageIdOf } from '../../src/messages/identity.ts';
import type { Message } from '../../src/messages/message.ts';

/** A journal in memory, for tests of agents: the log of one execution without the rules of a store. */
export class MemoryJournal implements Journal {
  readonly messages: Message[] = [];
  readonly steps: Step[] = [];
  readonly #cursors = new Map<string, number>();

  cursor(role: string): number {
    return this.#cursors.get(role) ?? 0;
  }

  read(readings: readonly Reading[], after: number, limit: number): ReturnType<Journal['read']> {
    const all = this.messages.map((message, index): LoggedMessage => ({ seq: index + 1, message }));
    const messages = all.filter(({ seq, message }) => seq > after && fits(readings, message)).slice(0, limit);
    const isWhole = messages.length < limit;
    return { messages, seen: isWhole ? Math.max(after, all.length) : (messages.at(-1)?.seq ?? after) };
  }

  /** Nothing waits here, so nothing takes effect late. */
  readLate(_: readonly Reading[], after: number): ReturnType<Journal['readLate']> {
    return { messages: [], seen: after };
  }

  message(id: string): Message | undefined {
    return this.messages.find((message) => messageIdOf(message) === id);
  }

  behind(role: string, readings: readonly Reading[], most: number): number {
    return this.read(readings, this.cursor(role), most).messages.length;
  }

  step(step: Step): Promise<boolean> {
    return Promise.resolve(this.#take(step));
  }

  stepAtOnce(step: Step): void {
    this.#take(step);
  }

  #take(step: Step): boolean {
    const { cursor, says, sender, tick } = step;
    if (cursor !== undefined && this.cursor(cursor.role) !== cursor.from) return false;
    const drafts = typeof says === 'function' ? says() : says;
    const envelope = { sender, namespace: 'test', execution_id: 'stf_datataking-tester-0001', simulation_tick: tick };
    for (const draft of drafts) {
      const message = { ...envelope, ...draft } as Message;
      if (this.message(messageIdOf(message)) === undefined) this.messages.push(message);
    }
    if (cursor !== undefined) this.#cursors.set(cursor.role, cursor.to);
    this.steps.push(step);
    return true;
  }
}

const fits = (readings: readonly Reading[], message: Message): boolean =>
  readings.some((reading) =>
    typeof reading === 'string'
      ? reading === message.msg_type
      : reading.msg_type === message.msg_type && 'state' in message && message.state === reading.state,
  );
