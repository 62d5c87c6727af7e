/** Where messages go (docs/messages.md), by the name that `[broker.destinations]` gives each. */
export const destinations = {
  broadcast: '/topic/epictopic',
  slices: '/queue/panda.transformer.slices',
  results: '/queue/panda.results.fastprocessing',
  control: '/queue/workflow_control',
  telemetry: '/topic/swf.telemetry',
} as const;

export type DestinationName = keyof typeof destinations;

/** The queues of a configuration that the programs of the existing testbed read, whatever the namespace. */
export const queuesSharedWithTestbed = (given: Destinations): ('slices' | 'results')[] =>
  (['slices', 'results'] as const).filter((key) => given[key].startsWith('/queue/panda.'));

/** The destinations that a configuration gives. */
export type Destinations = Readonly<Record<DestinationName, string>>;
