import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { recordHeard } from '../../src/db/observed/heard-messages.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { ask, connectInProcess, runCli, temporaryFolder } from '../helpers.ts';

/** A store of as many runs of other programs as messages, as a flood on an open topic makes. */
async function flooded(folder: string, runs: number): Promise<void> {
  const store = await openStore(join(folder, 'swf.db'));
  const began = Date.now() - 3_600_000;
  await store.write((tx) => {
    for (let n = 0; n < runs; n += 1) {
      const t = new Date(began + n).toISOString();
      recordHeard(tx, {
        t,
        destination: '/topic/epictopic',
        headers: { timestamp: String(began + n) },
        body: { msg_type: 'run_imminent', execution_id: `stf_datataking-x-${n}`, run_id: String(n), timestamp: t },
      });
    }
  });
  store.close();
}

describe('a flood of runs on the bus', () => {
  it('leaves a check readable: sound runs beyond the limit share one line', async () => {
    const folder = temporaryFolder();
    await flooded(folder, 205);
    const { code, stdout } = await runCli(['check'], { folder });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.includes('stf_datataking-x-'))).toHaveLength(200);
    expect(lines.at(-1)).toMatch(/^ok {4}others +5 more lines without faults$/);
  });

  it('is counted in a shift report, which says how many runs it did not examine', async () => {
    const folder = temporaryFolder();
    await flooded(folder, 600);
    const client = await connectInProcess(join(folder, 'swf.db'));
    const report = await ask(client, 'shift_report', {});
    expect(report).toMatchObject({ totals: { executions: 600 } });
    expect(report['open'][0]).toBe('50 more executions were not examined; ask for a shorter period or one namespace');
  });
});
