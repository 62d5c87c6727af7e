import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take a minute or more, the slowest first: begun last, they would be the last to end by minutes. */
const slow = [
  'networks/links',
  'remote/rabbitmq',
  'remote/artemis',
  'networks/',
  'remote/files',
  'web/page',
  'stand-in/recorded-calls',
  'remote/activemq',
  'web/large',
  'broker/stomp-connection',
  'remote/memory',
  'damaged-rows',
  'faults',
  'commands/broker',
  'questions/broker',
  'commands/services',
  'commands/foreign-programs',
  'tools/questions-about-the-past',
  'package',
];

/** The place of a file: that of its name among the slow ones, else behind them. */
function placeOf({ moduleId }: TestSpecification): number {
  const place = slow.findIndex((name) => moduleId.includes(`/test/${name}`));
  return place === -1 ? slow.length : place;
}

/** The order of test files: the slow ones first, the others as usual. */
export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- a sequencer is no array
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
