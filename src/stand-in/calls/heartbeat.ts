import { noteProgram } from '../../db/observed/signs.ts';
import { objectNamed } from '../../db/stand-in/objects.ts';
import { agentStates, type AgentState } from '../../domain/states.ts';
import { textOf } from '../objects/fields.ts';
import { register } from '../objects/write.ts';
import { systemAgents } from '../resources/subscribers.ts';
import type { Call } from './call.ts';

/** Types of agents, which their programs call as we do. */
const types = ['daq_simulator', 'data', 'fastmon', 'fast_processing'] as const;

/** A sign of life of an agent, whose description of itself is kept unchanged. */
export const heartbeat: Call = {
  method: 'POST',
  path: 'systemagents/heartbeat',
  answer(tx, { body, at }) {
    const name = textOf(body['instance_name']);
    const isKnown = name !== undefined && objectNamed(tx.sql, systemAgents.path, name) !== undefined;
    const answer = register(tx, { resource: systemAgents, body, at });
    const agentType = textOf(body['agent_type'])?.toLowerCase();
    const type = types.find((one) => one === agentType);
    if (answer.status === 201 && type !== undefined && name !== undefined)
      noteProgram(tx, name, {
        type,
        namespace: textOf(body['namespace']) ?? '',
        host: textOf(body['hostname']) ?? '',
        execution_id: undefined,
        at: Date.parse(at),
        state: stateOf(body['status'], body['operational_state']),
      });
    return isKnown && answer.status === 201 ? { ...answer, status: 200 } : answer;
  },
};

const stateOf = (status: unknown, operational: unknown): AgentState =>
  status === 'EXITED' ? 'EXITED' : (agentStates.find((state) => state === operational) ?? 'READY');
