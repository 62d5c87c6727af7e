import { configInvalid } from '../lib/errors.ts';
import { type LayoutName, layoutTopics, topicsWithoutResults, topicsWithoutSlices } from '../messages/destinations.ts';

/** The topic for broadcasts, which every layout of the testbed has. */
export const broadcastTopic = '/topic/epictopic';

/**
 * The topics that an observer listens to: the named topics, or else the layout's topics. Throws
 * `CONFIG_INVALID` for a name that would take messages from other consumers or create something permanent on
 * the broker.
 */
export function observedTopics(named: readonly string[], layout: LayoutName | undefined): readonly string[] {
  const topics = named.length > 0 ? named : [broadcastTopic, ...layoutTopics(layout)];
  for (const topic of topics) {
    const why = refusalOf(topic);
    if (why !== undefined) throw configInvalid(`${JSON.stringify(topic.slice(0, 200))} is not subscribed to: ${why}`);
  }
  return [...new Set(topics)];
}

/**
 * Whether slices may arrive on a topic. A site may use any name, so only topics known to carry no slices are
 * ruled out.
 */
export const mayCarrySlices = (topic: string) => topic !== broadcastTopic && !topicsWithoutSlices.has(topic);

/** Whether results may arrive on a topic. */
export const mayCarryResults = (topic: string) => topic !== broadcastTopic && !topicsWithoutResults.has(topic);

function refusalOf(topic: string): string | undefined {
  if (topic.startsWith('/queue/'))
    return 'each message of a queue goes to a single reader, so an observer would take it from the owner of the queue; name a topic';
  if (/[*>#]/.test(topic))
    return 'a pattern would create its own address on the broker; give the full name of each topic';
  if (!/^\/topic\/[\w.-]+$/.test(topic)) return 'names of topics look like /topic/panda.slices';
  return undefined;
}
