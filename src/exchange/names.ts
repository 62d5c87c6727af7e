import type { AgentType } from '../domain/states.ts';

/** The durable subscription of a recorder. */
export const recorderSubscription = (namespace: string, storeId: string): string => `swf.${namespace}.${storeId}`;

/** The durable subscription that remote agents of one type share, or take turns at. */
export const roleSubscription = (namespace: string, type: AgentType): string => `swf.${namespace}.${type}`;

/** The types of remote agents that read broadcasts. */
export const readingTypes = ['data', 'fastmon'] as const satisfies readonly AgentType[];

/** The queue for the results of one store, for a broker without selectors. */
export const resultsOfStore = (results: string, namespace: string, storeId: string): string =>
  `${results}.${namespace}.${storeId}`;
