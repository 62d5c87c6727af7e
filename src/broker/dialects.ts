import { activeMqClassic } from './activemq-classic.ts';
import { artemis } from './artemis.ts';
import type { DialectName } from './dialect-names.ts';
import type { BrokerDialect } from './dialect.ts';
import { rabbitMq } from './rabbitmq.ts';

/** Every kind of broker. A new kind does not compile without a line here. */
export const dialects: Readonly<Record<DialectName, BrokerDialect>> = {
  activemq: activeMqClassic,
  artemis,
  rabbitmq: rabbitMq,
};

/**
 * The dialect of a broker by its own name for itself.
 * @param server the header of its CONNECTED frame; a broker that omits it counts as ActiveMQ Classic
 */
export const dialectOfServer = (server: string | undefined): BrokerDialect =>
  Object.values(dialects).find((dialect) => server !== undefined && dialect.isServer(server)) ?? activeMqClassic;
