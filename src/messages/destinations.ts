/** Where messages go (contract §2), by the name that `[broker.destinations]` gives each. */
export const destinations = {
  broadcast: '/topic/epictopic',
  slices: '/queue/panda.transformer.slices',
  results: '/queue/panda.results.fastprocessing',
  control: '/queue/workflow_control',
  telemetry: '/topic/swf.telemetry',
} as const;

export type DestinationName = keyof typeof destinations;

/** The destinations that a configuration gives. */
export type Destinations = Readonly<Record<DestinationName, string>>;
