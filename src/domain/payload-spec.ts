import type { ExecutionParams } from './params.ts';

/**
 * The program that a worker runs on a slice. A new kind needs a member here and an entry in `payload/kinds.ts`, which the compiler demands.
 * `limit_seconds` is wall time; the placeholder has no limit of its own.
 */
export type PayloadSpec =
  | { kind: 'placeholder'; seconds: number; limit_seconds?: undefined }
  | { kind: 'command'; command: readonly string[]; limit_seconds: number };

/** @returns the placeholder takes `seconds` of simulated time */
export function payloadSpecOf({ worker, fast_processing }: ExecutionParams): PayloadSpec {
  if (worker.payload === undefined) return { kind: 'placeholder', seconds: fast_processing.slice_processing_time };
  return { kind: 'command', command: worker.payload, limit_seconds: worker.timeout_seconds };
}
