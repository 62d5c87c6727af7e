import { type ProgramType, programTypeOf, told } from '../../messages/foreign.ts';
import type { DialectName } from '../dialects.ts';
import { fieldsOf, NamespaceFilter } from '../namespace-filter.ts';
import type { MessageLine } from '../recording-lines.ts';
import { dialectOf } from './dialects.ts';

export interface HeardProgram {
  name: string;
  type?: ProgramType | undefined;
  namespace?: string | undefined;
  dialect?: DialectName | undefined;
  messages: number;
}

export type HeardTopic = ReturnType<Heard['topics']>[number];

/** Names come from other programs: at most this many are told apart. */
const maxNames = 1000;

const other = 'other';

/** Counts messages by program, type and topic. */
export class Heard {
  readonly #topics: ReadonlyMap<string, { messages: number; types: Map<string, number> }>;
  readonly #programs = new Map<string, HeardProgram>();
  readonly #namespaces = new NamespaceFilter([]);

  constructor(topics: readonly string[]) {
    this.#topics = new Map(topics.map((topic) => [topic, { messages: 0, types: new Map() }]));
  }

  add(line: MessageLine): void {
    const body = fieldsOf(line);
    const type = typeOf(body);
    const topic = this.#topics.get(line.destination);
    if (topic !== undefined) {
      topic.messages += 1;
      const counted = topic.types.has(type) || topic.types.size < maxNames ? type : other;
      topic.types.set(counted, (topic.types.get(counted) ?? 0) + 1);
    }
    this.#addProgram(line, body, type);
  }

  /** Each topic, with its message counts by type. */
  topics() {
    return [...this.#topics].map(([topic, { messages, types }]) => ({
      topic,
      messages,
      types: Object.fromEntries(types),
    }));
  }

  programs(): HeardProgram[] {
    return [...this.#programs.values()];
  }

  #addProgram(line: MessageLine, body: Readonly<Record<string, unknown>>, msgType: string): void {
    const name = nameOf(line, body);
    if (name === undefined) return;
    const known = this.#programs.get(name);
    if (known === undefined && this.#programs.size >= maxNames) return;
    const program: HeardProgram = known ?? { name, messages: 0 };
    program.messages += 1;
    // A heartbeat without a type comes from an agent, but does not say of which type.
    if (body['msg_type'] !== undefined) program.type ??= programTypeOf(msgType, line.destination);
    program.namespace = this.#namespaces.namespaceOf(line) ?? program.namespace;
    program.dialect = dialectOf(body) ?? program.dialect;
    this.#programs.set(name, program);
  }
}

/** Old agents send heartbeats without a type. */
const typeOf = (body: Readonly<Record<string, unknown>>): string =>
  told(body['msg_type']) ??
  (told(body['agent_name']) !== undefined && told(body['status']) !== undefined ? 'heartbeat' : 'none');

/** A worker is identified by its connection: its messages name no sender. */
const nameOf = ({ headers }: MessageLine, body: Readonly<Record<string, unknown>>): string | undefined =>
  told(body['sender']) ?? told(headers['client-id']) ?? told(body['agent_name']);
