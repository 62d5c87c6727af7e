import { type ProgramType, programTypeOf } from '../../messages/foreign.ts';
import type { DialectName } from '../dialects.ts';
import { createNamespaceFilter, fieldsOf } from '../namespace-filter.ts';
import type { MessageLine } from '../recording-lines.ts';
import { readMessage } from './read-message.ts';

export interface HeardProgram {
  name: string;
  type?: ProgramType | undefined;
  namespace?: string | undefined;
  dialect?: DialectName | undefined;
  messages: number;
}

export type HeardTopic = ReturnType<ReturnType<typeof createHeard>['topics']>[number];

/** Maximum number of distinct names, since names come from other programs. */
const maxNames = 1000;

const other = 'other';

/** Counts messages by program, type and topic. */
export function createHeard(topicNames: readonly string[]) {
  const topics = new Map(topicNames.map((topic) => [topic, { messages: 0, types: new Map<string, number>() }]));
  const programs = new Map<string, HeardProgram>();
  const { namespaceOf } = createNamespaceFilter([]);
  const addProgram = (line: MessageLine, { sender: name, message_type, dialect }: ReturnType<typeof readMessage>) => {
    if (name === undefined || (!programs.has(name) && programs.size >= maxNames)) return;
    const program: HeardProgram = programs.get(name) ?? { name, messages: 0 };
    program.messages += 1;
    // A heartbeat without `msg_type` comes from an agent, but does not contain the agent's type.
    if (fieldsOf(line)['msg_type'] !== undefined) program.type ??= programTypeOf(message_type, line.destination);
    program.namespace = namespaceOf(line) ?? program.namespace;
    program.dialect = dialect ?? program.dialect;
    programs.set(name, program);
  };
  return {
    add(line: MessageLine) {
      const statement = readMessage(line);
      const type = statement.message_type;
      const topic = topics.get(line.destination);
      if (topic !== undefined) {
        topic.messages += 1;
        const counted = topic.types.has(type) || topic.types.size < maxNames ? type : other;
        topic.types.set(counted, (topic.types.get(counted) ?? 0) + 1);
      }
      addProgram(line, statement);
    },
    /** Each topic, with its message counts by type. */
    topics: () =>
      [...topics].map(([topic, { messages, types }]) => ({ topic, messages, types: Object.fromEntries(types) })),
    programs: () => [...programs.values()],
  };
}
