import { describe, expect, it } from 'vitest';

import { observedTopics } from '../../src/observed/topics.ts';

describe('an observer listens', () => {
  it('only to the broadcasts if nothing else is named', () => {
    expect(observedTopics([], undefined)).toEqual(['/topic/epictopic']);
  });

  it('to the topics of a layout as well', () => {
    expect(observedTopics([], 'head')).toEqual([
      '/topic/epictopic',
      '/topic/panda.slices',
      '/topic/panda.results',
      '/topic/panda.workers',
      '/topic/panda.transformer',
    ]);
  });

  it('to the named topics, each once', () => {
    expect(observedTopics(['/topic/a', '/topic/b', '/topic/a'], 'head')).toEqual(['/topic/a', '/topic/b']);
  });

  it.each([
    ['/queue/panda.results.fastprocessing', /would take it from the owner of the queue/],
    ['/topic/panda.#', /a pattern would create its own address/],
    ['/topic/panda.*', /a pattern/],
    ['/topic/>', /a pattern/],
    ['/topic/a::queue', /names of topics look like/],
    ['epictopic', /names of topics look like/],
    ['/topic/', /names of topics look like/],
    ['/topic/a b', /names of topics look like/],
  ])('never to %s', (topic, why) => {
    expect(() => observedTopics([topic], undefined)).toThrow(why);
    expect(() => observedTopics([topic], undefined)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
