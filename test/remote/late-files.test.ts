import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { MemoryBroker } from '../brokers/memory-broker.ts';
import { MemorySite } from './memory-site.ts';

const complete = { status: 'completed', slices_failed: 0 };

/** A disk shared with the recorder, such as NFS, may show a file some time after its announcement. */
describe('on a shared disk', () => {
  const site = (given: Record<string, object>) => ({ here: new MemorySite(new MemoryBroker('activemq'), given) });

  it('a file that appears late uses up no attempt, and is processed once it is there', async () => {
    const { here } = site({
      fast_processing: { slices_per_sample: 3, target_worker_count: 4, slice_processing_time: 1 },
    });
    const run = await here.run(1, ['worker']);
    await expect.poll(() => here.monitor()).toMatchObject({ slices_queued: 3 });
    const [sample] = await here.askAll('list_tf_files', { execution_id: 'latest' });
    const path = join(here.folder, 'data', run.execution_id, String(sample?.['tf_filename']));
    renameSync(path, `${path}.away`);
    await here.agent('worker');
    await expect.poll(() => here.lines.join('\n')).toMatch(/off duty for WRONG_FILE .*_tf_001\.tf/);
    expect(await here.monitor()).toMatchObject({ slices_failed: 0, slices_retried: 0 });
    renameSync(`${path}.away`, path);
    await run.done;
    expect(await here.monitor()).toMatchObject({ ...complete, slices_completed: 3, slices_retried: 0 });
  });

  it('an STF file that appears late does not make the execution fail', async () => {
    const { here } = site({ fast_processing: { slices_per_sample: 3 } });
    const before = await here.agent('data');
    before.stop();
    await before.done;
    const run = await here.run(1, ['data']);
    await expect.poll(() => here.monitor()).toMatchObject({ stf_count: 1 });
    const [stf] = await here.askAll('list_stf_files', { execution_id: 'latest' });
    const path = join(here.folder, 'data', run.execution_id, String(stf?.['stf_filename']));
    renameSync(path, `${path}.away`);
    await here.agent('data');
    await delay(1000);
    expect(await here.monitor()).toMatchObject({ status: 'running', tf_files_received: 0 });
    renameSync(`${path}.away`, path);
    await run.done;
    expect(await here.monitor()).toMatchObject({ ...complete, slices_completed: 3 });
  });
});
