import { expect, it, onTestFinished } from 'vitest';

import { createRestingWorkers } from '../../src/recorder/workers.ts';
import { pass, stopTime } from '../still-time.ts';
import { driven, workFields } from './driven.ts';

/** Workers of an execution, of which a test says what they did, and who was said to rest at which second. */
function workers() {
  stopTime();
  const began = performance.now();
  const told: [second: number, resting: string][] = [];
  const warnings: string[] = [];
  const resting = createRestingWorkers({
    onChange: (id) => told.push([(performance.now() - began) / 1000, namesOf(id)]),
    warn: (line) => warnings.push(line),
    isPresent: () => true,
  });
  onTestFinished(() => resting.close());
  const namesOf = (id: string): string => {
    const { resting: now = [], on_trial = [] } = resting.of(id);
    return [...now.map(({ agent }) => `${agent} rests`), ...on_trial.map(({ agent }) => `${agent} on trial`)].join();
  };
  const begin = (id: string, worker: string, ...slices: number[]): void => {
    for (const slice of slices) resting.note(id, { msg_type: 'slice_started', ...workFields(slice, worker) });
  };
  const end = (id: string, worker: string, state: 'done' | 'failed', ...slices: number[]): void => {
    begin(id, worker, ...slices);
    for (const slice of slices)
      resting.note(id, { msg_type: 'slice_result', ...workFields(slice, worker), state, error: 'no such file' });
  };
  return { resting, told, warnings, end, namesOf };
}

it('a worker rests once others complete the slices that failed on it, and is then on trial until it completes one', async () => {
  const { resting, told, warnings, end } = workers();
  resting.add('mine', driven.params);
  end('mine', 'good', 'done', ...Array.from({ length: 20 }, (_, n) => 10 + n));
  end('mine', 'bad', 'failed', 1, 2, 3);
  await pass(1);
  end('mine', 'good', 'done', 1, 2, 3);
  const detail = expect.stringMatching(
    /^bad rests until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: its last 3 attempts failed, .*: no such file$/,
  );
  expect(resting.of('mine')).toEqual({ resting: [{ agent: 'bad', detail }] });
  expect(warnings).toEqual([expect.stringMatching(/^bad rests until \d/)]);
  await pass(20);
  // First it waits for the good one, then it rests, then it is on trial.
  expect(told.map(([, names]) => names)).toEqual(['bad rests', 'bad rests', 'bad on trial']);
  expect(told[2]?.[0]).toBeCloseTo(11, 0);
  expect(resting.of('mine').on_trial?.[0]?.detail).toMatch(/^bad is on trial: its last 3 attempts failed, /);
  end('mine', 'bad', 'done', 4);
  expect(told.at(-1)?.[1]).toBe('');
});

it('slices that fail again when retried do not make a worker rest', () => {
  const { resting, end, namesOf } = workers();
  resting.add('mine', driven.params);
  end('mine', 'other', 'done', ...Array.from({ length: 20 }, (_, n) => 10 + n));
  const failAgain = (worker: string, ...slices: number[]): void => {
    for (const slice of slices)
      resting.note('mine', { msg_type: 'slice_result', ...workFields(slice, worker), attempt: 2, state: 'failed' });
  };
  failAgain('other', 1, 2, 3, 4, 5, 6);
  failAgain('one', 7, 8, 9, 30, 34, 35);
  expect(namesOf('mine')).toBe('');
  end('mine', 'one', 'failed', 31, 32, 33);
  expect(namesOf('mine')).toBe('one rests');
});

it('no worker rests in an execution that another process drives or that has been forgotten', () => {
  const { resting, told, end, namesOf } = workers();
  resting.add('forgotten', driven.params);
  resting.forget('forgotten');
  for (const id of ['theirs', 'forgotten']) {
    end(id, 'bad', 'failed', 1, 2, 3);
    end(id, 'good', 'done', 1, 2, 3);
    expect(namesOf(id)).toBe('');
  }
  expect(told).toEqual([]);
});
