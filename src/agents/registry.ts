import type { Agent } from './agent.ts';
import { dataAgent } from './data.ts';
import { fastProcessingAgent } from './fast-processing.ts';
import { fastmonAgent } from './fastmon.ts';

/** The agents that read the log. The DAQ simulator and the workers have loops of their own. */
export const readingAgents: readonly Agent[] = [dataAgent, fastmonAgent, fastProcessingAgent];
