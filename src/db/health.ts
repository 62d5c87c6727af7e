import type { Health } from '../workflow/states.ts';
import type { ExecutionRow } from './executions.ts';
import { isHeld } from './messages.ts';
import { isProcessAlive, isSilent, type LivenessTest, ownerOf } from './owners.ts';
import type { Prepare } from './statements.ts';

/** How an execution does, from what is recorded and from whether the process that drives it lives and beats. */
export function healthOf(sql: Prepare, execution: ExecutionRow, isAlive: LivenessTest): Health {
  const { execution_id, status, phase } = execution;
  if (status === 'failed') return 'failed';
  if (status !== 'running') return 'finished';
  const owner = ownerOf(sql, execution_id);
  // An execution that was never driven from this store is somebody else's to judge.
  if (owner !== undefined && (!isProcessAlive(owner, isAlive) || isSilent(owner))) return 'stalled';
  if (phase === 'completed') return 'draining';
  return phase === 'standby' || isHeld(sql, execution_id) ? 'paused' : 'progressing';
}
