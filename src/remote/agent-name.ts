import type { AgentType } from '../domain/states.ts';
import { machineId } from '../lib/process-identity.ts';
import { sha256 } from '../lib/sha256.ts';

const digits = 8;

/**
 * The name of a remote agent, derived from the machine, the type and `index`, so a restart keeps it.
 * @param index distinguishes agents of one type on one machine, from 1
 */
export function remoteAgentName(type: AgentType, user: string, index: number): string {
  const hash = sha256().update(`${machineId()}\n${type}\n${index}`).digest('hex');
  const number = BigInt(`0x${hash}`).toString().slice(0, digits);
  return `${type}-agent-${user}-${number}`;
}
