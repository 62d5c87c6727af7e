import type { BrokerDialect } from './dialect.ts';

/** Only messages of one namespace. Namespaces hold no quotes (configuration). */
const selectorFor = (namespace: string): string => `namespace = '${namespace}'`;

/** ActiveMQ Classic 5 (its STOMP page documents the `activemq.` headers). */
export const activeMqClassic: BrokerDialect = {
  subscribeHeaders: ({ namespace, prefetch, durableName }) => ({
    ...(namespace === undefined ? {} : { selector: selectorFor(namespace) }),
    ...(prefetch === undefined ? {} : { 'activemq.prefetchSize': String(prefetch) }),
    ...(durableName === undefined ? {} : { 'activemq.subscriptionName': durableName }),
  }),
  forgetHeaders: (durableName) => ({ 'activemq.subscriptionName': durableName }),
  // The broker has no code for it: "No durable subscription exists for: …".
  isNoSuchSubscription: (message) => /durable/i.test(message),
};
