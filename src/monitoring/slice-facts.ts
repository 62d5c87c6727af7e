import type { Evidence, Some } from './evidence.ts';
import type { Facts } from './facts.ts';

/** How the slices of an execution fare. */
export interface SliceFacts
  extends
    Pick<
      Evidence,
      'execution_id' | 'first_failure' | 'causes' | 'concentration' | 'by_worker' | 'slowest' | 'slow_slots' | 'slower'
    >,
    Pick<Facts, 'status' | 'counts' | 'delays' | 'failing'> {
  /** Failed slices; `isFinal` if none of them is tried again. */
  failed: Some & { isFinal: boolean };
  /** Now, or the end of the execution. In milliseconds since 1970. */
  until: number;
}
