/**
 * The topics of the existing testbed, by the layouts that its sites have had. A name that is missing is made for good by subscribing, and one whose
 * queue is anycast gives its messages to every subscriber, so only a layout that the site has may be listened to.
 * `/topic/epictopic` is in all of them.
 */
const topicsOfLayout = {
  head: ['/topic/panda.slices', '/topic/panda.results', '/topic/panda.workers', '/topic/panda.transformer'],
  '2025-12': ['/topic/panda.transformer.slices.monitor', '/topic/panda.results', '/topic/panda.transformer'],
  '2025-10': ['/topic/panda.transformer.slices.monitor', '/topic/panda.results', '/topic/panda.transformer'],
} as const;

export type LayoutName = keyof typeof topicsOfLayout;

export const layoutNames = Object.keys(topicsOfLayout) as [LayoutName, ...LayoutName[]];

/** The topics of a layout besides the broadcasts; none where there is no layout. */
export const layoutTopics = (layout: LayoutName | undefined): readonly string[] =>
  layout === undefined ? [] : topicsOfLayout[layout];
