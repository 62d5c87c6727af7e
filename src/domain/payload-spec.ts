import type { ExecutionParams } from './params.ts';

/** The program that a worker runs on a slice; `payload/kinds.ts` has an entry for each kind. `limit_seconds` is wall time; the placeholder has none. */
export type PayloadSpec =
  | { kind: 'placeholder'; seconds: number; limit_seconds?: undefined }
  | { kind: 'command'; command: readonly string[]; limit_seconds: number };

/** @returns the placeholder takes `seconds` of simulated time */
export function payloadSpecOf({ worker, fast_processing }: ExecutionParams): PayloadSpec {
  if (worker.payload === undefined) return { kind: 'placeholder', seconds: fast_processing.slice_processing_time };
  return { kind: 'command', command: worker.payload, limit_seconds: worker.timeout_seconds };
}
