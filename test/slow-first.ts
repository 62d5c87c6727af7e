import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take 45 seconds or more, the slowest first: begun last, they would end minutes after all others. */
const slow = [
  'networks/links',
  'remote/activemq',
  'remote/rabbitmq',
  'web/page',
  'remote/files',
  'remote/artemis',
  'broker/stomp-connection',
  'networks/',
  'commands/broker',
  'commands/services',
  'web/large',
  'questions/broker',
  'commands/foreign-programs',
  'faults',
  'tools/questions-about-failures',
  'stand-in/monitor-reader',
  'db/maintenance/upgrade',
  'db/trust',
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
