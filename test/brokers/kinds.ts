import { activeMq } from './activemq.ts';
import { artemisBroker } from './artemis.ts';
import type { BrokerKind } from './broker.ts';
import { rabbitMqBroker } from './rabbitmq.ts';

/** Every kind of broker that the same suite is run on. */
export const brokerKinds: readonly BrokerKind[] = [activeMq, artemisBroker, rabbitMqBroker];
