/** Where messages are sent (docs/messages.md), by key of `[broker.destinations]`. */
export const destinations = {
  broadcast: '/topic/epictopic',
  slices: '/queue/panda.transformer.slices',
  results: '/queue/panda.results.fastprocessing',
  control: '/queue/workflow_control',
  telemetry: '/topic/swf.telemetry',
} as const;

export type DestinationName = keyof typeof destinations;

/** The configured queues from which the existing testbed's programs read, whatever the namespace. */
export const queuesSharedWithTestbed = (given: Destinations) =>
  (['slices', 'results'] as const).filter((key) => given[key].startsWith('/queue/panda.'));

/** The destinations in a configuration. */
export type Destinations = Readonly<Record<DestinationName, string>>;

/**
 * The topics of the existing testbed, by layout; its sites have used several. Subscribing to a name that does
 * not exist creates a topic permanently, and subscribing to the name of an anycast queue takes messages from
 * the queue's consumers, so listen only to a layout that the site has. All layouts contain `/topic/epictopic`.
 */
const topicsOfLayout = {
  head: ['/topic/panda.slices', '/topic/panda.results', '/topic/panda.workers', '/topic/panda.transformer'],
  '2025-12': ['/topic/panda.transformer.slices.monitor', '/topic/panda.results', '/topic/panda.transformer'],
  '2025-10': ['/topic/panda.transformer.slices.monitor', '/topic/panda.results', '/topic/panda.transformer'],
} as const;

/** The topics that carry no slices, from all layouts, not counting the broadcasts. */
export const topicsWithoutSlices: ReadonlySet<string> = new Set([
  '/topic/panda.results',
  '/topic/panda.workers',
  '/topic/panda.transformer',
]);

/** The topics that carry no results, from all layouts, not counting the broadcasts. */
export const topicsWithoutResults: ReadonlySet<string> = new Set([
  '/topic/panda.slices',
  '/topic/panda.transformer.slices.monitor',
  '/topic/panda.workers',
  '/topic/panda.transformer',
]);

export type LayoutName = keyof typeof topicsOfLayout;

export const layoutNames = Object.keys(topicsOfLayout) as [LayoutName, ...LayoutName[]];

/** The topics of a layout besides the broadcasts; none without a layout. */
export const layoutTopics = (layout: LayoutName | undefined): readonly string[] =>
  layout === undefined ? [] : topicsOfLayout[layout];
