import { recordHeard } from '../db/observed/heard-messages.ts';
import { noteProgram } from '../db/observed/signs.ts';
import type { Transaction } from '../db/sqlite/transaction.ts';
import { messagesOf, nextNumber, nextRunNumber, nextSequence, objectNamed, putObject } from '../db/stand-in/objects.ts';
import { insertToldLine } from '../db/stand-in/records.ts';
import { agentStates } from '../domain/states.ts';
import { logLineOf, textOf } from '../observed/told/log-line.ts';
import { restLine } from '../observed/told/rest-call.ts';
import { register } from './objects.ts';
import { type Answer, type Body, type Call, type Question, without } from './resource.ts';
import { systemAgents } from './resources.ts';

const success = (fields: Body): Answer => ({ status: 200, body: { status: 'success', ...fields } });

function nextExecution(tx: Transaction, { body }: Question): Answer {
  const workflow_name = textOf(body['workflow_name']);
  if (workflow_name === undefined || workflow_name === '') return without('workflow_name');
  return success({ workflow_name, sequence: nextSequence(tx, workflow_name) });
}

/** A namespace exists as soon as a request names it. Its first owner remains the owner. */
function ensureNamespace(tx: Transaction, { body }: Question): Answer {
  const name = textOf(body['name']);
  if (name === undefined || name === '') return without('name');
  const known = objectNamed(tx.sql, 'namespaces', name);
  const document = known?.document ?? {
    name,
    owner: textOf(body['owner']) ?? '',
    description: textOf(body['description']) ?? '',
  };
  if (known === undefined)
    putObject(tx, { kind: 'namespaces', object_id: String(nextNumber(tx, 'namespaces')), name, document });
  return success({ created: known === undefined, ...document });
}

/** The types of agents, which have the same names in the testbed's programs. */
const types = ['daq_simulator', 'data', 'fastmon', 'fast_processing', 'processing'] as const;

/** A heartbeat of an agent. The agent's description of itself is kept unchanged. */
function heartbeat(tx: Transaction, { body, at }: Question): Answer {
  const name = textOf(body['instance_name']);
  const isKnown = name !== undefined && objectNamed(tx.sql, systemAgents.path, name) !== undefined;
  const answer = register(tx, { resource: systemAgents, body, at });
  if (answer.status !== 201 || name === undefined) return answer;
  const agentType = textOf(body['agent_type'])?.toLowerCase();
  const type = types.find((one) => one === agentType);
  const state = body['status'] === 'EXITED' ? 'EXITED' : body['operational_state'];
  if (type !== undefined)
    noteProgram(tx, name, {
      type,
      namespace: textOf(body['namespace']) ?? '',
      host: textOf(body['hostname']) ?? '',
      execution_id: undefined,
      at: Date.parse(at),
      state: agentStates.find((one) => one === state) ?? 'READY',
    });
  return isKnown ? { ...answer, status: 200 } : answer;
}

/** Records a log line. No token is required, since the testbed's logger sends none. */
function logLine(tx: Transaction, { body, at }: Question): Answer {
  const line = logLineOf(body);
  if ('lacks' in line) return without(line.lacks);
  return { status: 201, body: { id: insertToldLine(tx, line, at) } };
}

/** A call about episodes, from the newest testbed. It is recorded, but has no further effect. */
function episode(verb: string): Call {
  const path = `snapper/episodes/${verb}`;
  const answer = (tx: Transaction, { body, at }: Question): Answer => {
    recordHeard(tx, restLine(at, 'POST', `/api/${path}/`, {}, body));
    return success(body);
  };
  return { method: 'POST', path, answer };
}

/** All requests other than those to register, read and change `resources`. */
export const calls: readonly Call[] = [
  {
    method: 'POST',
    path: 'state/next-agent-id',
    answer: (tx) => success({ agent_id: nextNumber(tx, 'agent') }),
  },
  {
    method: 'POST',
    path: 'state/next-run-number',
    // Run numbers are unique within the store.
    answer: (tx) => success({ run_number: nextRunNumber(tx) }),
  },
  { method: 'POST', path: 'state/next-workflow-execution-id', answer: nextExecution },
  { method: 'POST', path: 'namespaces/ensure', answer: ensureNamespace },
  { method: 'POST', path: 'systemagents/heartbeat', answer: heartbeat },
  { method: 'POST', path: 'logs', isOpen: true, answer: logLine },
  {
    method: 'GET',
    path: 'workflow-messages',
    // In the order in which the messages were sent, since episodes are built from them.
    answer: ({ sql }, { query }) => ({ status: 200, body: messagesOf(sql, textOf(query['execution_id'])) }),
  },
  ...['open', 'append', 'close'].map(episode),
];
