import { describe, expect, it } from 'vitest';

import { recordedFiles, recordedFilesOf } from '../../../src/db/reports/recorded-files.ts';
import type { FileKind } from '../../../src/domain/file-names.ts';
import { makeStore } from '../../made-store.ts';
import { insert } from '../observed/observed-rows.ts';
import { sample, slice, stf } from './file-rows.ts';

/** Three files of each kind that were written whole, some that were not, and those of another execution. */
async function withFiles() {
  const { store } = await makeStore();
  await store.write((tx) => {
    const theirs = { execution_id: 'other', stf_filename: 'a' };
    stf(tx, 'other-a', 0, { execution_id: 'other', checksum: 'c' });
    for (const name of ['a', 'b', 'c']) stf(tx, name, 1, { checksum: `sum-${name}`, file_url: `file:///${name}` });
    stf(tx, 'unwritten', 1);
    sample(tx, 'other-t', 0, { ...theirs, file_url: 'u' });
    for (const name of ['a', 'b', 'c'])
      sample(tx, `t-${name}`, 1, { stf_filename: name, file_url: name === 'b' ? 'http://x/t-b' : `file:///t-${name}` });
    sample(tx, 'unplaced', 1, { stf_filename: 'a' });
    insert(tx, 'moved_files', { tf_filename: 't-c', execution_id: 'e', file_url: 'file:///new/t-c', moved_at: '' });
    const output = (slice_filename: string, attempt: number, outputs: string | null, execution_id = 'e') =>
      insert(tx, 'payload_results', { slice_filename, attempt, execution_id, outputs });
    const outputs = JSON.stringify([1, 2].map((n) => ({ name: `out-${n}`, checksum: `o${n}`, size_bytes: n })));
    slice(tx, 's-other', 0, { ...theirs, tf_filename: 'other-t' });
    output('s-other', 1, outputs, 'other');
    for (const name of ['a', 'b', 'c']) {
      slice(tx, `s-${name}`, 1, { stf_filename: name, tf_filename: `t-${name}`, attempt: 2, hostname: `host-${name}` });
      output(`s-${name}`, 1, '[{"name":"of an earlier attempt"}]');
      output(`s-${name}`, 2, name === 'c' ? '[{"name":"cut' : outputs);
    }
    slice(tx, 's-none', 1, { stf_filename: 'a', tf_filename: 't-a', attempt: 1 });
    output('s-none', 1, null);
  });
  const { sql } = store;
  const of = (kind: FileKind, more: { after?: number; limit?: number; stf_filename?: string } = {}) => {
    const { after = 0, limit = -1, stf_filename } = more;
    return recordedFilesOf(sql, { execution_id: 'e', stf_filename }, { kind, after, limit });
  };
  return { sql, of };
}

const names = (files: readonly { name: string }[]): string[] => files.map(({ name }) => name);

describe('the completely written files of an execution', () => {
  it('are STF files with a checksum, samples with a place, and outputs of current attempts', async () => {
    const { sql, of } = await withFiles();
    expect(names(of('stf'))).toEqual(['a', 'b', 'c']);
    expect(of('tf').map(({ name, place }) => [name, place])).toEqual([
      ['t-a', 'file:///t-a'],
      ['t-b', 'http://x/t-b'],
      ['t-c', 'file:///new/t-c'],
    ]);
    // A damaged list of outputs hides no other. Where the sample was fetched, the worker's host has the outputs.
    expect(of('output')).toMatchObject([
      { name: 'out-1', slice_filename: 's-a', attempt: 2, checksum: 'o1', size_bytes: 1, place: null },
      { name: 'out-2', slice_filename: 's-a', place: null },
      { name: 'out-1', slice_filename: 's-b', place: 'host-b' },
      { name: 'out-2', slice_filename: 's-b', place: 'host-b' },
    ]);
    expect([...recordedFiles(sql, 'e')]).toHaveLength(10);
  });

  it.each<[kind: FileKind, ofB: string[]]>([
    ['stf', ['b']],
    ['tf', ['t-b']],
    ['output', ['out-1', 'out-2']],
  ])('can be requested for one STF file, or page by page: %s', async (kind, ofB) => {
    const { of } = await withFiles();
    expect(names(of(kind, { stf_filename: 'b' }))).toEqual(ofB);
    const all = of(kind);
    const [first] = all;
    const rest = all.filter(({ key }) => key > (first?.key ?? 0));
    expect(of(kind, { after: first?.key ?? 0 })).toEqual(rest);
    expect(of(kind, { limit: 1 })).toEqual([first]);
  });
});
