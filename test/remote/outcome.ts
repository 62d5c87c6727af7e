import { join } from 'node:path';

import { ask, askAll, connectInProcess, runWorkflow, temporaryFolder } from '../helpers.ts';

const counts = [
  'status',
  'phase',
  'stf_count',
  'tf_files_received',
  'slices_created',
  'slices_completed',
  'slices_failed',
] as const;

/** The outcome of an execution, by default the newest, apart from workers, drivers and times. */
export async function outcome(folder: string, execution = 'latest'): Promise<unknown> {
  const client = await connectInProcess(join(folder, 'swf.db'));
  const monitor = await ask(client, 'get_workflow_monitor', { execution_id: execution });
  const { execution_id, run_number } = monitor;
  const neutral = (text: string): string =>
    text.replaceAll(execution_id as string, 'EXECUTION').replaceAll(String(run_number), 'RUN');
  const of = { execution_id, limit: 200 };
  const messages = await askAll(client, 'list_messages', of);
  const slices = await askAll(client, 'list_tf_slices', of);
  const files = await askAll(client, 'list_stf_files', of);
  // Workers differ from run to run.
  const idOf = (id: string, type: string): string =>
    type === 'slice_result' ? id.replace(/\/[^/]*\/\d+@.*$/, '') : id;
  return {
    counts: counts.map((key) => monitor[key]),
    messages: messages
      .filter(
        ({ message_type }) => !/^(slice_started|slice_returned|run_workflow|driver_\w+)$/.test(message_type as string),
      )
      .filter(({ effect }) => effect === 'applied')
      .map(({ message_id, message_type }) => neutral(idOf(message_id as string, message_type as string)))
      .toSorted(),
    // A worker that dies costs a start, which counts in `retries`; further attempts have their own messages.
    slices: slices.map((slice) => [neutral(slice['slice_filename']), slice['status']]).toSorted(),
    files: files
      .map((file) => [neutral(file['stf_filename']), file['status'], file['size_bytes'], file['slice_count']])
      .toSorted(),
  };
}

/** The outcome of a run in one process without a broker. */
export function inProcess(stfs: number, ...settings: string[]): Promise<unknown> {
  const key = [stfs, ...settings].join(' ');
  const made = outcomes.get(key) ?? runAlone(stfs, settings);
  outcomes.set(key, made);
  // A failed run is not kept: the next test tries it again.
  made.catch(() => outcomes.delete(key));
  return made;
}

async function runAlone(stfs: number, settings: string[]): Promise<unknown> {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', String(stfs), ...settings);
  return outcome(folder);
}

/** It is the same each time (`replay`), so one run is enough for all tests of a process. */
const outcomes = new Map<string, Promise<unknown>>();
