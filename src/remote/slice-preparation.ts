import { join } from 'node:path';

import type { DeliveredSlice, Payload } from '../agents/ports.ts';
import type { SliceWork, Unfit } from '../agents/slice-worker.ts';
import type { PayloadSpec } from '../domain/params.ts';
import { type PayloadName, type ReturnReason, workKind } from '../domain/slice-returns.ts';
import { createScaledClock } from '../lib/clock.ts';
import { SwfError } from '../lib/errors.ts';
import type { Lifetime } from '../lib/lifetime.ts';
import type { PayloadHost } from '../payload/host.ts';
import { createPayload } from '../payload/kinds.ts';
import { isProgramThere, isSamePayload, payloadNameOf, readPayload } from '../payload/payload-name.ts';
import type { FilePlace, Reached } from './data-access.ts';
import type { Kind } from './off-duty.ts';
import type { Surroundings } from './part.ts';

export interface SlicePreparationOptions extends Pick<
  Surroundings,
  'namespace' | 'params' | 'access' | 'views' | 'offDuty' | 'environment'
> {
  payloads: PayloadHost;
  lifetime: Pick<Lifetime, 'draining'>;
}

/** How long a payload's digest stays valid. */
const digestMilliseconds = 20_000;

const placeOf = ({ slice, storeId }: DeliveredSlice): FilePlace => ({
  execution_id: slice.execution_id,
  filename: slice.tf_filename,
  file_url: slice.file_url,
  storeId,
});

/**
 * Prepares the work on slices from any recorder. Slices from swf-mcp contain everything that determines how
 * they are processed; facts missing from other programs' slices come from the execution, or else from this
 * host's own configuration.
 */
export function createSlicePreparation(options: SlicePreparationOptions) {
  const { access, views, offDuty, lifetime } = options;
  const own = createOwnPayload(options);

  function unfit({ slice, storeId }: DeliveredSlice, reason: ReturnReason, detail: string, isMended: Kind['isMended']) {
    const over = views.overFor(slice.execution_id, storeId);
    const isOver = () => reason === 'WRONG_FILE' && over.aborted;
    offDuty.add({ reason, name: workKind(slice, reason), isMended, isOver }, detail);
    return { reason, detail: detail.slice(0, 1000) };
  }

  const noFile = (delivered: DeliveredSlice, detail: string) =>
    unfit(delivered, 'NO_FILE', detail, () => access.isMended(placeOf(delivered)));

  /** Ensures that the announced file is on this host. */
  async function fetched(delivered: DeliveredSlice, { folder, bring }: Reached): Promise<Unfit | undefined> {
    const { checksum, tf_filename, execution_id, file_url = tf_filename } = delivered.slice;
    if (folder === undefined) return undefined;
    const over = () => views.overFor(execution_id, delivered.storeId);
    const isRight = () =>
      bring === undefined ? access.checked.agrees(join(folder, tf_filename), checksum) : bring(checksum, over());
    try {
      if (await isRight()) return undefined;
    } catch (error) {
      // An abandoned fetch does not prove that the file is missing.
      if (!(error instanceof SwfError) || lifetime.draining.aborted || over().aborted) throw error;
      return noFile(delivered, error.message);
    }
    const detail = `${file_url} does not exist, or its checksum is not ${checksum ?? 'the announced one'}; provide the right file`;
    return unfit(delivered, 'WRONG_FILE', detail, isRight);
  }

  return {
    /** The work on a slice, or why this worker cannot do it. */
    async prepare(delivered: DeliveredSlice): Promise<SliceWork | Unfit> {
      const { slice } = delivered;
      await own.read();
      const spec = specOf(delivered, own, options);
      if (spec === undefined) {
        const why = `slices require the payload ${workKind(slice, 'NO_PAYLOAD')}, but ${own.words()}`;
        return unfit(delivered, 'NO_PAYLOAD', why, () => specOf(delivered, own, options) !== undefined);
      }
      const known = offDuty.whyNot({ reason: 'NO_FILE', name: workKind(slice, 'NO_FILE') });
      if (known !== undefined) return { reason: 'NO_FILE', detail: known.slice(0, 1000) };
      const reached = access.of(placeOf(delivered));
      if ('obstacle' in reached) return noFile(delivered, reached.obstacle);
      if (spec.kind === 'command' && reached.folder === undefined)
        return { reason: 'NO_FILE', detail: 'a payload command needs files, but the recorder writes none' };
      const why = await fetched(delivered, reached);
      return why ?? withoutFault(payloadFor(delivered, spec, reached, options), (detail) => noFile(delivered, detail));
    },
  };
}

/** The payload of this worker. Its files may change, but are not read again for each slice. */
function createOwnPayload({ params, environment }: SlicePreparationOptions) {
  const { payload, payload_name: name } = params.worker;
  const { PATH: path } = environment;
  let known: { at: number; name: PayloadName } | undefined;
  const isFresh = (at: number) => known !== undefined && at - known.at <= digestMilliseconds;
  const nameOf = (command: readonly string[]) => {
    const at = performance.now();
    if (known === undefined || !isFresh(at)) known = { at, name: payloadNameOf(command, { name, path }) };
    return known.name;
  };
  return {
    /** Reads the payload's files ahead of time. */
    async read() {
      if (payload !== undefined && !isFresh(performance.now())) await readPayload(payload, path);
    },
    is: (asked: PayloadName) => payload !== undefined && isSamePayload(asked, nameOf(payload)),
    words() {
      if (payload === undefined) return "this worker has none; give it with --set 'worker.payload=[…]'";
      if (!isProgramThere(payload, path))
        return `this worker's program ${payload[0] ?? ''} does not exist, or is not executable; install it`;
      const { name: own, digest } = nameOf(payload);
      return `this worker has ${own} ${digest}; copy the recorder's program and files to this host, and use the same worker.payload`;
    },
  };
}

/** Undefined if this worker lacks the payload that the slice requires. */
function specOf(
  { slice, storeId }: DeliveredSlice,
  own: ReturnType<typeof createOwnPayload>,
  { params, views }: SlicePreparationOptions,
): PayloadSpec | undefined {
  const { payload: command, timeout_seconds } = params.worker;
  const asked = slice.payload;
  if (asked !== undefined && !own.is(asked)) return undefined;
  // A slice without a payload name asks for the placeholder only if swf-mcp sent it: other programs leave the
  // name out.
  if (command !== undefined && (asked !== undefined || slice.speed === undefined))
    return { kind: 'command', command, limit_seconds: slice.timeout_seconds ?? timeout_seconds };
  const { fast_processing } = views.stateOf(slice.execution_id, storeId)?.workflow_params ?? params;
  return { kind: 'placeholder', seconds: slice.slice_processing_time ?? fast_processing.slice_processing_time };
}

function payloadFor(
  { slice, storeId }: DeliveredSlice,
  spec: PayloadSpec,
  { files, folder }: Reached,
  { namespace, params, views, payloads: host }: SlicePreparationOptions,
): Payload {
  const { execution_id } = slice;
  const recorded = views.stateOf(execution_id, storeId)?.workflow_params ?? params;
  const clock = createScaledClock(slice.speed ?? (recorded.speed === 'max' ? 1 : recorded.speed));
  const run_number = Number(slice.run_id) || 0;
  const frameBytes = slice.tf_size_bytes ?? recorded.daq_state_machine.tf_size_bytes;
  return createPayload(spec, { execution_id, run_number, namespace, frameBytes, files, folder, clock, host });
}

/** A failing disk is not the slice's fault: another worker may be able to process the slice. */
const withoutFault = (payload: Payload, unfit: (detail: string) => Unfit): SliceWork => ({
  run: async (slice, by) => {
    try {
      return await payload.run(slice, by);
    } catch (error) {
      if (!(error instanceof SwfError)) throw error;
      return unfit(error.message);
    }
  },
});
