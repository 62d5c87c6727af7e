/** Where messages go (docs/messages.md), by the name that `[broker.destinations]` gives each. */
export const destinations = {
  broadcast: '/topic/epictopic',
  slices: '/queue/panda.transformer.slices',
  results: '/queue/panda.results.fastprocessing',
  control: '/queue/workflow_control',
  telemetry: '/topic/swf.telemetry',
} as const;

export type DestinationName = keyof typeof destinations;

/** The queues of a configuration that the programs of the existing testbed read in every namespace. */
export const queuesSharedWithTestbed = (given: Destinations) =>
  (['slices', 'results'] as const).filter((key) => given[key].startsWith('/queue/panda.'));

/** The destinations that a configuration gives. */
export type Destinations = Readonly<Record<DestinationName, string>>;

/**
 * The topics of the existing testbed, by the layouts that its sites have used. Subscribing to a missing name
 * creates it for good, and subscribing to the name of an anycast queue takes messages from its consumers, so
 * listen only to a layout that the site has. All layouts contain `/topic/epictopic`.
 */
const topicsOfLayout = {
  head: ['/topic/panda.slices', '/topic/panda.results', '/topic/panda.workers', '/topic/panda.transformer'],
  '2025-12': ['/topic/panda.transformer.slices.monitor', '/topic/panda.results', '/topic/panda.transformer'],
  '2025-10': ['/topic/panda.transformer.slices.monitor', '/topic/panda.results', '/topic/panda.transformer'],
} as const;

/** The topics of all layouts, besides the broadcasts, that carry no slices. */
export const topicsWithoutSlices: ReadonlySet<string> = new Set([
  '/topic/panda.results',
  '/topic/panda.workers',
  '/topic/panda.transformer',
]);

/** The topics of all layouts, besides the broadcasts, that carry no results. */
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
