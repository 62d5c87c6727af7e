import type { AgentType } from '../domain/states.ts';
import type { Agent, AgentRole } from './agent.ts';
import { daqSimulatorRole } from './daq-simulator.ts';
import { dataAgent } from './data.ts';
import { fastProcessingAgent } from './fast-processing.ts';
import { fastmonAgent } from './fastmon.ts';
import { workerRole } from './slice-messages.ts';

/** The agents that read the log. The DAQ simulator and the workers have their own loops. */
export const readingAgents: readonly Agent[] = [dataAgent, fastmonAgent, fastProcessingAgent];

/**
 * Every agent type. A new type needs a file and a line here, and a line in `readingAgents` if it reads the
 * log.
 */
export const agentRoles: Readonly<Record<AgentType, AgentRole>> = {
  daq_simulator: daqSimulatorRole,
  data: dataAgent,
  fastmon: fastmonAgent,
  fast_processing: fastProcessingAgent,
  worker: workerRole,
};
