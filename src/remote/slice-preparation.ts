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
 * Prepares the work on slices of any recorder. A slice states everything that decides how it is done; facts that it leaves out, as other programs'
 * slices do, come from its execution, and then from this host's own configuration.
 */
export class SlicePreparation {
  readonly #options: SlicePreparationOptions;
  #own: { at: number; name: PayloadName } | undefined;

  constructor(options: SlicePreparationOptions) {
    this.#options = options;
  }

  /** The work on a slice, or why this worker cannot do it. */
  async prepare(delivered: DeliveredSlice): Promise<SliceWork | Unfit> {
    const { slice } = delivered;
    await this.#readOwnPayload();
    const spec = this.#specOf(delivered);
    if (spec === undefined) {
      const why = `slices ask for the payload ${workKind(slice, 'NO_PAYLOAD')}, and ${this.#ownPayload()}`;
      return this.#unfit(delivered, 'NO_PAYLOAD', why, () => this.#specOf(delivered) !== undefined);
    }
    const known = this.#options.offDuty.whyNot({ reason: 'NO_FILE', name: workKind(slice, 'NO_FILE') });
    if (known !== undefined) return { reason: 'NO_FILE', detail: known.slice(0, 1000) };
    const reached = this.#options.access.of(placeOf(delivered));
    if ('obstacle' in reached) return this.#noFile(delivered, reached.obstacle);
    if (spec.kind === 'command' && reached.folder === undefined)
      return { reason: 'NO_FILE', detail: 'a payload needs files, and the recorder writes none' };
    const unfit = await this.#bring(delivered, reached);
    return unfit ?? this.#withoutFault(this.#payloadFor(delivered, spec, reached), delivered);
  }

  /** Ensures that the announced file is here. */
  async #bring(delivered: DeliveredSlice, { folder, bring }: Reached): Promise<Unfit | undefined> {
    const { checksum, tf_filename, execution_id } = delivered.slice;
    if (folder === undefined) return undefined;
    const isRight = async (): Promise<boolean> => {
      if (bring !== undefined) return bring(checksum, this.#options.views.overFor(execution_id, delivered.storeId));
      return this.#options.access.checked.agrees(join(folder, tf_filename), checksum);
    };
    try {
      if (await isRight()) return undefined;
    } catch (error) {
      // An abandoned fetch says nothing about the place.
      if (!(error instanceof SwfError) || this.#isGivenUp(delivered)) throw error;
      return this.#noFile(delivered, error.message);
    }
    const detail = `${delivered.slice.file_url ?? tf_filename} is not there, or has another checksum than ${checksum ?? 'was announced'}; bring the right file`;
    return this.#unfit(delivered, 'WRONG_FILE', detail, isRight);
  }

  #isGivenUp({ slice, storeId }: DeliveredSlice): boolean {
    const { lifetime, views } = this.#options;
    return lifetime.draining.aborted || views.overFor(slice.execution_id, storeId).aborted;
  }

  #payloadFor(delivered: DeliveredSlice, spec: PayloadSpec, { files, folder }: Reached): Payload {
    const { namespace, params, views, payloads: host } = this.#options;
    const { slice } = delivered;
    const { execution_id } = slice;
    const recordedParams = views.stateOf(execution_id, delivered.storeId)?.workflow_params ?? params;
    const speed = slice.speed ?? (recordedParams.speed === 'max' ? 1 : recordedParams.speed);
    const clock = createScaledClock(speed);
    const run_number = Number(slice.run_id) || 0;
    const frameBytes = slice.tf_size_bytes ?? recordedParams.daq_state_machine.tf_size_bytes;
    return createPayload(spec, { execution_id, run_number, namespace, frameBytes, files, folder, clock, host });
  }

  #noFile(delivered: DeliveredSlice, detail: string): Unfit {
    return this.#unfit(delivered, 'NO_FILE', detail, () => this.#options.access.isMended(placeOf(delivered)));
  }

  /** Undefined if this worker lacks the payload that the slice asks for. */
  #specOf({ slice, storeId }: DeliveredSlice): PayloadSpec | undefined {
    const { params, views } = this.#options;
    const { payload: command, timeout_seconds } = params.worker;
    const asked = slice.payload;
    if (asked !== undefined && (command === undefined || !isSamePayload(asked, this.#ownName(command))))
      return undefined;
    // Other programs' slices do not say that they mean the placeholder.
    if (command !== undefined && (asked !== undefined || slice.speed === undefined))
      return { kind: 'command', command, limit_seconds: slice.timeout_seconds ?? timeout_seconds };
    const { fast_processing } = views.stateOf(slice.execution_id, storeId)?.workflow_params ?? params;
    return { kind: 'placeholder', seconds: slice.slice_processing_time ?? fast_processing.slice_processing_time };
  }

  #ownPayload(): string {
    const { payload } = this.#options.params.worker;
    if (payload === undefined) return "this worker has none; give it with --set 'worker.payload=[…]'";
    if (!isProgramThere(payload, this.#options.environment['PATH']))
      return `the program ${payload[0] ?? ''} of this worker is not there, or may not be executed; bring it`;
    const { name, digest } = this.#ownName(payload);
    return `this worker has ${name} ${digest}; copy the recorder's program and files to this host, and use the same worker.payload`;
  }

  async #readOwnPayload() {
    const { params, environment } = this.#options;
    const isFresh = this.#own !== undefined && performance.now() - this.#own.at <= digestMilliseconds;
    if (params.worker.payload !== undefined && !isFresh) await readPayload(params.worker.payload, environment['PATH']);
  }

  /** The payload's files may change, but are not read for each slice. */
  #ownName(payload: readonly string[]): PayloadName {
    const at = performance.now();
    const { params, environment } = this.#options;
    const facts = { name: params.worker.payload_name, path: environment['PATH'] };
    if (this.#own === undefined || at - this.#own.at > digestMilliseconds)
      this.#own = { at, name: payloadNameOf(payload, facts) };
    return this.#own.name;
  }

  #unfit({ slice, storeId }: DeliveredSlice, reason: ReturnReason, detail: string, isMended: Kind['isMended']): Unfit {
    const over = this.#options.views.overFor(slice.execution_id, storeId);
    const isOver = () => reason === 'WRONG_FILE' && over.aborted;
    this.#options.offDuty.add({ reason, name: workKind(slice, reason), isMended, isOver }, detail);
    return { reason, detail: detail.slice(0, 1000) };
  }

  /** A failing disk is not the slice's fault: another worker may do it. */
  #withoutFault(payload: Payload, delivered: DeliveredSlice): SliceWork {
    return {
      run: async (slice, by) => {
        try {
          return await payload.run(slice, by);
        } catch (error) {
          if (!(error instanceof SwfError)) throw error;
          return this.#noFile(delivered, error.message);
        }
      },
    };
  }
}
