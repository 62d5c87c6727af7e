import type { Some } from './evidence.ts';

/**
 * What is known of a site that processes STF files of a run. The public programs have one, and do not name
 * it.
 */
export interface SiteWork {
  site?: string;
  input_dataset?: string;
  output_dataset?: string;
  task_id?: string;
  /** Milliseconds since 1970. */
  handed_over_at?: number;
  /** How many files REST registered for it, and how many of them have a job, are done, or failed. */
  registered: number;
  processing: number;
  processed: number;
  failed: number;
}

/** The state of prompt processing of a run. Times are milliseconds since 1970. */
export interface PromptFacts {
  /** How the sites of a file are chosen. */
  policy: string | undefined;
  /** How often its agent queries PanDA, if reported. */
  poll_seconds: number | undefined;
  sites: readonly SiteWork[];
  /** Whether anything about it was reported over REST: the bus carries only that the run was handed over. */
  isTold: boolean;
  isHandedOver: boolean;
  first_stf: number | undefined;
  /** When a file was last registered, or its state last written. */
  last_report: number | undefined;
  /** Files announced a while ago and not registered. */
  unregistered: Some;
  /** Files that are registered at a site, and neither processed nor failed. */
  open: Some;
  failed: Some;
  reasons: readonly string[];
  /** Whether the data agent has closed the run, if it has reported it. */
  data_run: 'open' | 'closed' | undefined;
  /** When its end was announced. */
  ended_at: number | undefined;
  /** An earlier run of the namespace that its data agent has not closed, if no data agent has opened this run. */
  waits_for: string | undefined;
}
