export const dialectNames = ['activemq', 'artemis', 'rabbitmq'] as const;

export type DialectName = (typeof dialectNames)[number];
