import { artemisBroker } from '../brokers/artemis.ts';
import { describeWorkflow } from './workflow-suite.ts';

describeWorkflow(artemisBroker);
