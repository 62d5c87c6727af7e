import { markSent, unsentRows } from '../../src/db/log/outbox.ts';
import { executionParamsSchema } from '../../src/domain/params.ts';
import type { Message } from '../../src/messages/message.ts';
import type { TestStore } from '../helpers.ts';

export const stf_filename = 'swf.100010.000001.stf';
export const tf_filename = 'swf.100010.000001_tf_001.tf';
export const driven = { params: executionParamsSchema.parse({}) };

/** Records a ready STF file and a sample of it, which another host has published. */
export async function saySample({ say }: TestStore, file_url = 'http://a:1/data/x/file.tf'): Promise<void> {
  await say('stf_gen', { filename: stf_filename, sequence: 1, tf_count: 100 });
  await say('stf_ready', { filename: stf_filename, sequence: 1, tf_count: 100 });
  await say('tf_file_registered', sampleFields(file_url));
}

export const sampleFields = (file_url: string) => ({
  tf_filename,
  stf_filename,
  tf_first: 0,
  tf_last: 14,
  tf_count: 15,
  file_url,
});

/** The fields of a slice of that sample. */
export const sliceFields = (slice_id: number) => ({
  slice_id,
  slice_filename: `swf.100010.000001_slice_${String(slice_id).padStart(3, '0')}.tf`,
  tf_filename,
  stf_filename,
  start: slice_id,
  end: slice_id,
  tf_count: 1,
  attempt: 1,
});

/** Records slices of that sample, which are to be sent. Returns the ids of their messages. */
export async function saySlices({ say }: TestStore, count: number, more: object = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let id = 0; id < count; id += 1)
    ids.push((await say('slice', { ...sliceFields(id), ...more }, { goesOut: true })).message_id);
  return ids;
}

/** The fields of a message of a worker about a slice that it starts, ends or returns. */
export const workFields = (slice_id: number, worker = 'worker-1') => {
  const { slice_filename, attempt } = sliceFields(slice_id);
  return { slice_id, slice_filename, tf_filename, attempt, worker_id: `${worker}/slot-1`, hostname: 'elsewhere' };
};

/** Marks all unsent messages as sent, and returns their ids. */
export async function takeUnsent({ store }: TestStore, namespace = 'test'): Promise<string[]> {
  const rows = unsentRows(store.sql, namespace, 0, 1000);
  await store.write((tx) =>
    markSent(
      tx,
      rows.map(({ seq }) => seq),
    ),
  );
  return rows.map(({ message_id }) => message_id);
}

/** A message of a type as a worker's process sends it. */
export const messageOf = <T extends Message['msg_type']>(msg_type: T, fields: object): Message<T> =>
  ({
    msg_type,
    sender: 'worker-1',
    namespace: 'test',
    execution_id: 'stf_datataking-tester-0001',
    run_id: '100010',
    ...fields,
  }) as unknown as Message<T>;
