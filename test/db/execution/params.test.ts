import { describe, expect, it } from 'vitest';

import { executionParams, forgetParams } from '../../../src/db/execution/params.ts';
import { makeRunningStore, makeStore } from '../../made-store.ts';

const key = {
  key: 1,
  execution_id: 'stf_datataking-tester-0001',
  run_number: 100_010,
  start_time: '2026-11-28T10:00:00.000Z',
};

const set = (params: string): string => `UPDATE workflow_executions SET params = '${params}'`;

describe('the parameters of an execution', () => {
  it('are those recorded at its start, with defaults for missing keys', async () => {
    const { store } = await makeRunningStore({ fast_processing: { stf_count: 3 } });
    const params = executionParams(store.sql, key);
    expect(params).toMatchObject({
      plan_version: 1,
      speed: 1,
      fast_processing: { stf_count: 3, slices_per_sample: 15 },
      worker: { max_retries: 3 },
    });
  });

  it('are cached until explicitly forgotten', async () => {
    const { store } = await makeRunningStore({ fast_processing: { stf_count: 3 } });
    const { sql } = store;
    const params = executionParams(sql, key);
    store.db.exec(set('{"fast_processing":{"stf_count":4}}'));
    expect(executionParams(sql, { ...key })).toBe(params);
    forgetParams(sql, 'another');
    expect(executionParams(sql, key)).toBe(params);
    forgetParams(sql, key.execution_id);
    expect(executionParams(sql, key).fast_processing.stf_count).toBe(4);
  });

  it.each([{ key: 2 }, { run_number: 100_011 }, { start_time: '2026-11-28T10:00:01.000Z' }])(
    'are not taken from a rolled-back execution with the same id but another %j',
    async (other) => {
      const { store } = await makeRunningStore({ fast_processing: { stf_count: 3 } });
      executionParams(store.sql, key);
      store.db.exec(set('{"fast_processing":{"stf_count":4}}'));
      expect(executionParams(store.sql, { ...key, ...other }).fast_processing.stf_count).toBe(4);
    },
  );

  it('are cached for at most 500 executions', async () => {
    const { store } = await makeStore();
    const of = (n: number) => executionParams(store.sql, { ...key, execution_id: `e-${n}` });
    const all = Array.from({ length: 500 }, (_, n) => of(n));
    expect([of(0), of(499)].map((params, at) => params === all[at * 499])).toEqual([true, true]);
    const one = of(500);
    expect(of(500)).toBe(one);
    expect(of(0)).not.toBe(all[0]);
  });

  it('are the defaults if the execution does not exist', async () => {
    const { store } = await makeRunningStore({ fast_processing: { stf_count: 3 } });
    expect(executionParams(store.sql, { ...key, execution_id: 'e-1' }).fast_processing.stf_count).toBe(10);
  });

  it.each([
    ['{"fast_processing":{"stf_count":"three"}}', 'fast_processing.stf_count: Invalid input'],
    ['{"plan_version":99}', 'plan_version: Invalid input'],
    ['{broken', ': Invalid input'],
  ])(
    'are refused if this version cannot use them, and the error names the key and the version to use: %s',
    async (text, words) => {
      const { store } = await makeRunningStore();
      store.db.exec(set(text));
      const ask = () => executionParams(store.sql, { ...key, key: 2 });
      expect(ask).toThrow(`the configuration recorded for ${key.execution_id} cannot be used here: ${words}`);
      expect(ask).toThrow(/; use the version of swf-mcp that recorded it$/);
      expect(ask).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});
