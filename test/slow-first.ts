import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take a minute or more, which would be the last to end if they were not the first to begin. */
const slow = [
  'networks/',
  'web/page',
  'package',
  'remote/files',
  'broker/stomp-connection',
  'damaged-rows',
  'remote/rabbitmq-queues',
  'commands/broker',
  'questions/broker',
  'faults',
];

const isSlow = ({ moduleId }: TestSpecification): boolean => slow.some((name) => moduleId.includes(`/test/${name}`));

/** The order of test files: the slow ones first, the others as usual. */
export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- a sequencer is no array
    const usual = await super.sort(files);
    return [...usual.filter(isSlow), ...usual.filter((file) => !isSlow(file))];
  }
}
