import { rabbitMqBroker } from '../brokers/rabbitmq.ts';
import { describeWorkflow } from './workflow-suite.ts';

describeWorkflow(rabbitMqBroker);
