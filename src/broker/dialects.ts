import { activeMqClassic } from './activemq-classic.ts';
import { artemis } from './artemis.ts';
import type { DialectName } from './dialect-names.ts';
import type { BrokerDialect } from './dialect.ts';
import { rabbitMq } from './rabbitmq.ts';

/** Every kind of broker. A new one does not compile until it has a line. */
const dialects: Readonly<Record<DialectName, BrokerDialect>> = {
  activemq: activeMqClassic,
  artemis,
  rabbitmq: rabbitMq,
};

/** The dialect of a kind of broker. */
export const dialectOf = (name: DialectName): BrokerDialect => dialects[name];

/**
 * The dialect of a broker that calls itself so.
 * @param server the header of its CONNECTED frame; a broker may keep it to itself, and counts as ActiveMQ Classic then
 */
export const dialectOfServer = (server: string | undefined): BrokerDialect =>
  Object.values(dialects).find((dialect) => server !== undefined && dialect.isServer(server)) ?? activeMqClassic;
