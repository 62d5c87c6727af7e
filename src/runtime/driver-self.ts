import type { ProcessAgents, Driver } from '../db/driving/take-over.ts';
import type { Speed } from '../domain/params.ts';
import type { AgentType } from '../domain/states.ts';
import { currentProcess } from '../lib/process-identity.ts';
import type { HostOptions } from './host.ts';

/** This process's description of itself as a driver. */
export function driverSelf(
  { user, sender = user, version, broker }: HostOptions,
  { process_id, agents }: { process_id: number; agents: Partial<ProcessAgents<AgentType>['agents']> },
  speed?: Speed,
): Driver {
  const name = agents.daq_simulator;
  if (name === undefined) throw new Error('this process hosts no DAQ simulator');
  return {
    process_id,
    identity: currentProcess(),
    name,
    user: sender,
    version,
    speed,
    isOverBroker: broker !== undefined,
  };
}
