import * as fc from 'fast-check';

import type { Attempts, Life } from '../../src/monitoring/timeline/attempts.ts';
import { pictureOf } from '../../src/monitoring/timeline/picture.ts';

/** Slices of a life of a minute: of each the steps to its attempts' times, and how the last one stands. */
export const start = Date.parse('2026-11-26T08:00:00Z');
export const maxRetries = 2;
const step = fc.integer({ min: 0, max: 20_000 });
export const slices = fc.array(
  fc.record({
    stf: fc.integer({ min: 0, max: 4 }),
    queued: step,
    tries: fc.array(fc.record({ wait: step, work: step, worker: fc.integer({ min: 0, max: 6 }) }), {
      minLength: 1,
      maxLength: maxRetries + 1,
    }),
    last: fc.constantFrom('queued', 'processing', 'completed', 'failed'),
  }),
  { minLength: 1, maxLength: 60 },
);

type Slices = Parameters<Parameters<typeof slices.map>[0]>[0];
const states = ['queued', 'processing', 'completed', 'failed'];

/** The attempts as the store has them: all but the last one of a slice have failed. */
export function attemptsOf(all: Slices): Attempts {
  const rows = all.flatMap(({ stf, queued, tries, last }, sliceId) => {
    let at = start + queued;
    const created = at;
    return tries.map(({ wait, work, worker }, index) => {
      const isCurrent = index === tries.length - 1;
      const state = isCurrent ? last : 'failed';
      const begun = at + wait;
      const row = {
        stf,
        sliceId,
        attempt: index + 1,
        state: states.indexOf(state),
        isCurrent: isCurrent ? 1 : 0,
        worker: state === 'queued' ? -1 : worker,
        host: state === 'queued' ? -1 : 0,
        cause: state === 'failed' ? index % 2 : -1,
        created,
        queued: at,
        started: state === 'queued' ? Number.NaN : begun,
        completed: state === 'completed' || state === 'failed' ? begun + work : Number.NaN,
      };
      at = begun + work;
      return row;
    });
  });
  const column = (name: keyof (typeof rows)[number]): number[] => rows.map((row) => row[name]);
  return {
    length: rows.length,
    names: {
      stf: { all: ['e.stf', 'a.stf', 'c.stf', 'b.stf', 'd.stf'] },
      worker: { all: ['w/7', 'w/1', 'w/2', 'w/3', 'w/10', 'w/5', 'w/6'] },
      host: { all: ['torre2'] },
      cause: { all: ['no geometry', 'timeout'] },
    },
    stf: column('stf'),
    sliceId: column('sliceId'),
    attempt: column('attempt'),
    state: column('state'),
    isCurrent: column('isCurrent'),
    worker: column('worker'),
    host: column('host'),
    cause: column('cause'),
    created: column('created'),
    queued: column('queued'),
    started: column('started'),
    completed: column('completed'),
  };
}

export const lifeOf = (attempts: Attempts) => ({
  start,
  end: Math.max(
    start,
    ...[attempts.queued, attempts.started, attempts.completed].flatMap((times) =>
      Array.from(times).filter((time) => !Number.isNaN(time)),
    ),
  ),
  hasEnded: false,
});

export const picture = (attempts: Attempts, maxBins = 300, life: Life = lifeOf(attempts)) => {
  return pictureOf(attempts, {
    life,
    from: life.start,
    until: life.end,
    anchor: life.start,
    maxBins,
    maxLevels: 0,
    minWidth: 1,
    maxRetries,
    firstSlot: 0,
    slots: 100,
    maxSpans: 10_000,
  });
};
