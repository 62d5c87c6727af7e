import { onTestFinished } from 'vitest';

import type { DeliveredSlice } from '../../src/agents/ports.ts';
import type { SliceWork, Unfit } from '../../src/agents/slice-worker.ts';
import { executionParamsSchema } from '../../src/domain/params.ts';
import { ExecutionViews } from '../../src/exchange/execution-views.ts';
import { noDataFiles } from '../../src/files/data-files.ts';
import { createCheckedFiles } from '../../src/files/file-io.ts';
import { createPayloadHost } from '../../src/payload/host.ts';
import type { Access } from '../../src/remote/data-access.ts';
import { createOffDutyList } from '../../src/remote/off-duty.ts';
import { createSlicePreparation, type SlicePreparationOptions } from '../../src/remote/slice-preparation.ts';
import { stopTime } from '../still-time.ts';
import { execution_id, namespace } from './line.ts';

export type Worker = Record<string, unknown>;

export const tf_filename = 'swf.7.000001_tf_001.tf';
export const file_url = `http://there:1/data/x/${tf_filename}`;

/** A worker of a host, and how its files are reached. */
export function worker(own: Worker = {}, fast_processing: object = {}) {
  stopTime();
  const params = executionParamsSchema.parse({ worker: own, fast_processing });
  const views = new ExecutionViews();
  const warnings: string[] = [];
  const offDuty = createOffDutyList(
    (line) => warnings.push(line),
    () => {},
  );
  const draining = new AbortController();
  const reach = { found: { files: noDataFiles, folder: undefined } as Access, isMended: false };
  const access = {
    checked: createCheckedFiles(),
    of: () => reach.found,
    isMended: () => Promise.resolve(reach.isMended),
  };
  const options: SlicePreparationOptions = {
    namespace,
    params: { ...params, speed: 1 },
    access: access as unknown as SlicePreparationOptions['access'],
    views,
    offDuty,
    environment: { PATH: '/usr/bin:/bin' },
    payloads: createPayloadHost({ PATH: '/usr/bin:/bin' }),
    lifetime: { draining: draining.signal },
  };
  onTestFinished(() => {
    offDuty.close();
    views.close();
    return options.payloads.close();
  });
  const preparation = createSlicePreparation(options);
  const prepare = (more: object = {}): Promise<SliceWork | Unfit> => preparation.prepare(delivered(more));
  const kinds = (): string[] => offDuty.list().map(({ reason, name }) => `${reason} ${name}`);
  return { preparation, prepare, views, offDuty, warnings, kinds, reach, drain: () => draining.abort() };
}

const delivered = (more: object): DeliveredSlice => ({
  slice: {
    msg_type: 'slice',
    sender: 'fast-1',
    namespace,
    execution_id,
    run_id: '7',
    slice_id: 0,
    slice_filename: 'swf.7.000001_slice_000.tf',
    tf_filename,
    stf_filename: 'swf.7.000001.stf',
    start: 0,
    end: 0,
    tf_count: 1,
    attempt: 1,
    ...more,
  },
  storeId: 's1',
  replyTo: undefined,
  since: 0,
});
