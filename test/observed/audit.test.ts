import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { openStore } from '../../src/db/opening/open-store.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { temporaryFolder } from '../folder.ts';
import { type Answer, ask, connectInProcess } from '../helpers.ts';

/** The audit of a recorded run, when only some of its lines were heard. */
async function auditOf(name: string, isHeard: (body: Answer) => boolean): Promise<Answer> {
  const folder = temporaryFolder();
  const lines = gunzipSync(readFileSync(`test/recordings/${name}/bus.jsonl.gz`))
    .toString('utf8')
    .trim()
    .split('\n');
  writeFileSync(join(folder, 'bus.jsonl'), `${lines.filter((line) => isHeard(JSON.parse(line).body)).join('\n')}\n`);
  const store = await openStore(join(folder, 'swf.db'));
  await readIntoStore([join(folder, 'bus.jsonl')], { store, namespaces: [], until: undefined, onTorn: () => {} });
  store.close();
  return ask(await connectInProcess(join(folder, 'swf.db')), 'audit_execution', { execution_id: 'latest' });
}

const samplesOf = ({ checks }: Answer): Answer =>
  (checks as Answer[]).find(({ check }) => check === 'samples') as Answer;

describe('the audit of an observed run', () => {
  it('compares samples only by number if slices name TF files that were not announced', async () => {
    const names = new Set<string>();
    const requests = new Set<string>();
    const audit = await auditOf('F-2', ({ msg_type, created_at, content }) => {
      const file = String(content?.tf_filename).replace(/_slice_\d+\.tf$/, '.tf');
      if (msg_type === 'slice' && (names.has(file) || names.size < 12)) {
        names.add(file);
        requests.add(created_at);
        return false;
      }
      return msg_type !== 'slice_result' || !requests.has(content.requested_at);
    });
    expect(samplesOf(audit)).toMatchObject({ state: 'open', expected: 42, found: 30, id_count: 12 });
    expect(audit).toMatchObject({ verdict: 'open', summary: expect.stringContaining('compared only by number') });
    expect(await auditOf('F-2', () => true)).toMatchObject({ verdict: 'balanced' });
  });

  it('compares TF files by name, and counts those whose announcement was not heard', async () => {
    let dropped = 0;
    const audit = await auditOf('H-1', ({ msg_type }) => msg_type !== 'tf_file_registered' || (dropped += 1) > 3);
    expect(audit['summary']).toContain('No announcement was received for 3 of the 21 TF files that slices name.');
    const unheard = await auditOf('H-1', ({ msg_type }) => msg_type !== 'tf_file_registered');
    expect(unheard['summary']).toContain('No announcement was received for 21 of the 21 TF files that slices name.');
    expect((await auditOf('H-1', () => true))['summary']).not.toMatch(/announcement|number only/);
  });
});
