import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { ask, connectInProcess, temporaryFolder } from '../helpers.ts';
import { makeRun } from './generator.ts';

describe('slices without a result in runs of other programs', () => {
  it('count as unanswered in every answer, not as queued or in progress', async () => {
    const path = join(temporaryFolder(), 'swf.db');
    const { lines, truth } = makeRun({ seed: 11, stfs: 12 });
    // The results of the last third are lost.
    const heard = lines.filter((line, at) => at < (2 * lines.length) / 3 || !JSON.stringify(line).includes('"result"'));
    const store = await openStore(path);
    await store.write((tx) => {
      for (const line of heard) recordHeard(tx, line);
    });
    const execution_id = truth.told_id;
    const rows = store.db
      .prepare<[], { slice_filename: string; status: string }>('SELECT slice_filename, status FROM v_slices')
      .all();
    const attempts = store.db.prepare(`SELECT count(*) AS n FROM v_attempts WHERE state = 'unanswered'`).get();
    store.close();
    const unanswered = rows.filter(({ status }) => status === 'unanswered');
    const n = unanswered.length;
    expect(n).toBeGreaterThan(3);
    expect(rows.some(({ status }) => status === 'queued' || status === 'processing')).toBe(false);
    expect(attempts).toEqual({ n: expect.any(Number) as number });

    const client = await connectInProcess(path);
    const listed = async (status: string) =>
      (await ask(client, 'list_tf_slices', { execution_id, status })).total_count;
    expect([await listed('unanswered'), await listed('queued'), await listed('processing')]).toEqual([n, 0, 0]);
    const { groups } = await ask(client, 'summarize', { what: 'slices', execution_id, group_by: 'status' });
    expect(groups).toContainEqual(expect.objectContaining({ status: 'unanswered', count: n }));
    const summed = await ask(client, 'summarize', {
      what: 'slices',
      execution_id,
      status: 'unanswered',
      group_by: 'status',
    });
    expect(summed).toMatchObject({ groups: [{ status: 'unanswered', count: n }] });
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id });
    expect(monitor).toMatchObject({ slices_unanswered: n });
    expect(monitor).not.toHaveProperty('slices_queued');
    const filename = unanswered[0]?.slice_filename ?? '';
    expect(await ask(client, 'trace_data_product', { filename })).toMatchObject({
      status: 'unanswered',
      standing: 'sent; no result was received',
    });
    const { counts } = await ask(client, 'wait_for_execution', { execution_id, timeout_seconds: 1 });
    expect(counts).toMatchObject({ slices_unanswered: n });
    expect(Object.keys(counts as object)).not.toContain('slices_processing');
    const { open, people } = await ask(client, 'shift_report', { start_time: String(monitor['start_time']) });
    expect(open).toContainEqual(expect.stringMatching(`^${execution_id} SLICES_UNANSWERED: ${n} TF slices`));
    // No message says who started the run.
    expect(people).toEqual([]);
  });
});
