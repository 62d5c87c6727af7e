import { fieldsOf } from '../namespace-filter.ts';
import type { MessageLine } from '../recording-lines.ts';
import { dialectOf, echoOf, factOf } from './dialects.ts';
import type { Statement } from './fact.ts';
import { type Fields, hiddenIn, idOf, numberOf, objectOf, shortName } from './values.ts';

/** Longer message types are cut to this length. */
const maxType = 50;

/**
 * Parses a received message, using only destination, headers and body. Never throws: a message of an unknown
 * type states no fact.
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

/** The first value that is a name. */
const firstOf = (values: readonly unknown[]) => values.map(short).find((name) => name !== undefined);

const short = (value: unknown) => shortName(idOf(value));

/**
 * Heartbeats of old agents have no type and are identified by their fields. Any other untyped message gets its
 * type from its header.
 */
function typeOf(body: Fields, headers: Readonly<Record<string, string>>) {
  const type = idOf(body['msg_type']);
  if (type !== undefined) return type.slice(0, maxType);
  if (idOf(body['agent_name']) !== undefined && idOf(body['status']) !== undefined) return 'heartbeat';
  return (idOf(headers['msg_type']) ?? 'untyped').slice(0, maxType);
}
