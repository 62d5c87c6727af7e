import { fieldsOf } from '../namespace-filter.ts';
import type { MessageLine } from '../recording-lines.ts';
import { dialectOf, echoOf, factOf } from './dialects.ts';
import type { Statement } from './fact.ts';
import { type Fields, hiddenIn, idOf, numberOf, objectOf, shortName } from './values.ts';

/** A longer type is cut. */
const maxType = 50;

/**
 * Parses a message that was heard: a function of destination, headers and body alone. Never throws: a message
 * that no rule knows states no fact.
 */
export function readMessage(line: MessageLine): Statement {
  const { headers } = line;
  const body = fieldsOf(line);
  const content = objectOf(body['content']);
  const message_type = typeOf(body, headers);
  const dialect = dialectOf(body);
  const names = {
    namespace: [body['namespace'], headers['namespace']],
    run_id: [body['run_id'], content['run_id'], headers['run_id']],
    execution_id: [body['execution_id'], content['execution_id'], echoOf(dialect, content)['execution_id']],
  };
  return {
    message_type,
    sender: short(body['sender']) ?? short(headers['client-id']) ?? short(body['agent_name']),
    namespace: firstOf(names.namespace),
    run_id: firstOf(names.run_id),
    told_id: firstOf(names.execution_id),
    hidden: hiddenIn(names),
    dialect,
    simulation_tick: numberOf(body['simulation_tick']),
    fact: factOf(message_type, dialect, body, headers),
  };
}

/** The first of these values that is a name. */
const firstOf = (values: readonly unknown[]) => values.map(short).find((name) => name !== undefined);

const short = (value: unknown) => shortName(idOf(value));

/** Old agents send heartbeats without a type. Any other untyped message is named by its header. */
function typeOf(body: Fields, headers: Readonly<Record<string, string>>): string {
  const type = idOf(body['msg_type']);
  if (type !== undefined) return type.slice(0, maxType);
  if (idOf(body['agent_name']) !== undefined && idOf(body['status']) !== undefined) return 'heartbeat';
  return (idOf(headers['msg_type']) ?? 'untyped').slice(0, maxType);
}
