import type { Resource } from '../objects/resource.ts';
import { fastmonFiles } from './fastmon-files.ts';
import { runStates } from './run-states.ts';
import { runs } from './runs.ts';
import { stfFiles } from './stf-files.ts';
import { subscribers, systemAgents } from './subscribers.ts';
import { systemStateEvents } from './system-state-events.ts';
import { tfSlices } from './tf-slices.ts';
import { workflowDefinitions } from './workflow-definitions.ts';
import { workflowExecutions } from './workflow-executions.ts';
import { workflowStages } from './workflow-stages.ts';

/** Everything that programs register, list and change. */
export const resources: readonly Resource[] = [
  workflowDefinitions,
  workflowExecutions,
  runStates,
  runs,
  stfFiles,
  fastmonFiles,
  tfSlices,
  systemStateEvents,
  systemAgents,
  subscribers,
  workflowStages,
];
