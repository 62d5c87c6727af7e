import { activeMq } from '../brokers/activemq.ts';
import { describeWorkflow } from './workflow-suite.ts';

describeWorkflow(activeMq);
