import type { TimeField } from '../../domain/list-words.ts';
import type { Summarized, SummaryKey } from '../../domain/summary-words.ts';

/** The kind of rows to sum, the keys, and the filters. */
export interface SummaryQuestion {
  what: Summarized;
  /** One or two. */
  keys: readonly SummaryKey[];
  execution_id?: string | undefined;
  namespace?: string | undefined;
  status?: string | undefined;
  assigned_worker?: string | undefined;
  /** ISO 8601, both ends included; bounds of the time that `time_field` names. */
  start_time?: string | undefined;
  end_time?: string | undefined;
  time_field: TimeField;
}
