import type { TimeField, Summarized, SummaryKey } from '../../domain/summary-words.ts';
import type { Texts, Window } from '../lists/page.ts';

/** The kind of rows to sum, the keys, and the filters. */
export interface SummaryQuestion extends Texts<'execution_id' | 'namespace' | 'status' | 'assigned_worker'>, Window {
  what: Summarized;
  /** One or two. */
  keys: readonly SummaryKey[];
  /** The time that the window bounds. */
  time_field: TimeField;
}
