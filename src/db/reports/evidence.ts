import { agentTypes } from '../../domain/states.ts';
import type { Evidence } from '../../monitoring/evidence.ts';
import { listAgents } from '../lists/agents.ts';
import type { ExecutionRow } from '../lists/executions.ts';
import { agentStatus, livingTypes } from '../presence/agent-registry.ts';
import { isProcessAlive, isSilent, type LivenessTest, ownerOf } from '../presence/leases.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { ExecutionDetail } from './execution-detail.ts';
import { firstError } from './first-error.ts';
import { refusedMessages, waitingMessages } from './landmarks.ts';
import { PartReader } from './part-reader.ts';
import { exhaustedSlices, lostSlices } from './slices-in-hand.ts';

/** Rows that a finding names, and agents that are looked at. */
const named = 5;
const agentsLookedAt = 50;

/** The agent types that every execution needs (contract §1). The DAQ simulator is its driver, which other findings tell of. */
const neededTypes = agentTypes.filter((type) => type !== 'daq_simulator');

/** The evidence that findings name. Damage in one table leaves the rest. */
export function evidenceOf(
  sql: Prepare,
  execution: ExecutionRow,
  { detail, isAlive, data_as_of }: { detail: ExecutionDetail; isAlive: LivenessTest; data_as_of: string | undefined },
): Evidence {
  const { execution_id, status_reason, namespace, status } = execution;
  const { slices_exhausted, over_broker } = detail;
  const parts = new PartReader();
  const owner = ownerOf(sql, execution_id);
  const isRunning = status === 'running';
  const none = { count: 0, ids: [] };
  return {
    execution_id,
    status_reason,
    driver:
      owner === undefined ? undefined : { ...owner, alive: isProcessAlive(owner, isAlive), silent: isSilent(owner) },
    agents: parts.read('agents', () => agentsOf(sql, execution_id, isAlive), []),
    missing: isRunning && over_broker === 1 ? missingTypes(sql, namespace, isAlive) : [],
    lost: isRunning ? parts.read('slices in work', () => lostSlices(sql, execution_id, isAlive), []) : [],
    first_error: parts.read('logs', () => firstError(sql, execution_id), undefined),
    exhausted:
      slices_exhausted === 0 ? [] : parts.read('failed slices', () => exhaustedSlices(sql, execution_id, named), []),
    exhausted_count: slices_exhausted,
    refused: parts.read('refused messages', () => refusedMessages(sql, execution_id, named), none),
    waiting: parts.read('waiting messages', () => waitingMessages(sql, execution_id, named), none),
    data_as_of,
    unreadable: parts.unreadable,
  };
}

function agentsOf(sql: Prepare, execution_id: string, isAlive: LivenessTest): Evidence['agents'] {
  const filter = { execution_id, include_exited: true };
  const { rows } = listAgents(sql, filter, { order: 'newest', limit: agentsLookedAt, uncounted: true });
  return rows.map((row) => ({ ...row, status: agentStatus(row, isAlive) }));
}

/** Over a broker agents may be in any process of the namespace. */
function missingTypes(sql: Prepare, namespace: string, isAlive: LivenessTest): string[] {
  const living = livingTypes(sql, namespace, isAlive);
  return neededTypes.filter((type) => !living.has(type));
}
