import { expect, it, onTestFinished } from 'vitest';

import { returnReasons } from '../../src/domain/slice-returns.ts';
import { createOffDutyList, type Kind } from '../../src/remote/off-duty.ts';
import { pass, stopTime } from '../still-time.ts';

function list() {
  stopTime();
  const warnings: string[] = [];
  const counts = { changes: 0, kinds: 0 };
  const offDuty = createOffDutyList(
    (warning) => warnings.push(warning),
    () => (counts.changes += 1),
  );
  onTestFinished(() => offDuty.close());
  const add = (name: string, more: Partial<Kind> = {}, why = 'the disk is away'): void =>
    offDuty.add({ reason: 'NO_FILE', name, isMended: () => false, ...more }, why);
  return { offDuty, warnings, counts, add };
}

it('a kind of work that cannot be done is reported once with its reason, and again when it can be done', async () => {
  const { offDuty, warnings, counts, add } = list();
  offDuty.onKinds(() => (counts.kinds += 1));
  let isMended = false;
  for (let time = 0; time < 2; time += 1) add('/data', { isMended: () => Promise.resolve(isMended) });
  add('/other', { reason: 'NO_PAYLOAD' }, 'no program');
  expect(warnings).toEqual([
    'off duty for NO_FILE /data: the disk is away',
    'off duty for NO_PAYLOAD /other: no program',
  ]);
  expect(counts).toEqual({ changes: 2, kinds: 2 });
  expect([
    offDuty.whyNot({ reason: 'NO_FILE', name: '/data' }),
    offDuty.whyNot({ reason: 'NO_PAYLOAD', name: '/data' }),
    offDuty.whyNot({ reason: 'NO_FILE', name: '/other' }),
  ]).toEqual(['the disk is away', undefined, undefined]);
  await pass(31);
  expect(offDuty.list()).toHaveLength(2);
  isMended = true;
  await pass(28);
  expect(warnings).toHaveLength(2);
  await pass(1);
  expect(warnings.slice(2)).toEqual(['on duty again for NO_FILE /data']);
  expect(counts).toEqual({ changes: 3, kinds: 3 });
  expect(offDuty.whyNot({ reason: 'NO_FILE', name: '/data' })).toBeUndefined();
  // A new failure is reported again.
  add('/data');
  expect(warnings).toHaveLength(4);
});

it('a kind of work that no longer matters is dropped without a report, and one whose check fails is kept', async () => {
  const { offDuty, warnings, counts, add } = list();
  add('wrong.tf', { reason: 'WRONG_FILE', isOver: () => true });
  add('open.tf', { reason: 'WRONG_FILE', isOver: () => false });
  add('/data', { isMended: () => Promise.reject(new Error('the disk is gone')) });
  add('/more', {
    isMended: () => {
      throw new Error('no rights');
    },
  });
  await pass(30);
  expect(offDuty.list().map(({ name }) => name)).toEqual(['open.tf', '/data', '/more']);
  expect([warnings.length, counts.changes]).toEqual([4, 5]);
});

it('a check is not repeated while it runs, and none starts after the off-duty list is closed', async () => {
  const { offDuty, add } = list();
  let looks = 0;
  let end = (): void => {};
  add('/data', {
    isMended: () => {
      looks += 1;
      return new Promise((resolve) => (end = () => resolve(false)));
    },
  });
  await pass(100);
  expect(looks).toBe(1);
  end();
  await pass(30);
  expect(looks).toBe(2);
  end();
  offDuty.close();
  await pass(100);
  expect(looks).toBe(2);
});

it('the broker is asked to hold back only the six newest kinds of work for each reason', () => {
  const { offDuty, add } = list();
  for (let n = 1; n <= 8; n += 1) add(`/data/${n}`);
  add('payload.sh', { reason: 'NO_PAYLOAD' });
  expect(offDuty.unwanted()).toEqual({
    file_place: [3, 4, 5, 6, 7, 8].map((n) => `/data/${n}`),
    payload: ['payload.sh'],
    tf_file: [],
  });
  expect(returnReasons).toHaveLength(3);
});

it('the off-duty list reports at most a hundred kinds of work, each with its reason, its start and a short detail', async () => {
  const { offDuty, add } = list();
  await pass(2);
  for (let n = 0; n < 120; n += 1) add(`/data/${n}`, {}, 'w'.repeat(500));
  const told = offDuty.list();
  expect(told).toHaveLength(100);
  expect(told[0]).toEqual({
    reason: 'NO_FILE',
    name: '/data/0',
    since: '2026-01-01T00:00:02.000Z',
    detail: 'w'.repeat(400),
  });
});
