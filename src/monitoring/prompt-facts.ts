import type { Some } from './evidence.ts';

/**
 * The known facts about a site that processes STF files of a run. The public programs have one site, and do
 * not name it.
 */
export interface SiteWork {
  site?: string;
  input_dataset?: string;
  output_dataset?: string;
  task_id?: string;
  /** In milliseconds since 1970. */
  handed_over_at?: number;
  /**
   * Number of files registered over REST for the site; then how many of them have a job, are done, or have
   * failed.
   */
  registered: number;
  processing: number;
  processed: number;
  failed: number;
}

/** The state of prompt processing in a run. Times are milliseconds since 1970. */
export interface PromptFacts {
  /** How sites are chosen for a file. */
  policy: string | undefined;
  /** How often the processing agent queries PanDA, if reported. */
  poll_seconds: number | undefined;
  sites: readonly SiteWork[];
  /**
   * Whether anything about the processing was reported over REST. Only the hand-over of the run is sent over
   * the broker.
   */
  isTold: boolean;
  isHandedOver: boolean;
  first_stf: number | undefined;
  /** When a file was last registered, or its state last written. */
  last_report: number | undefined;
  /** Files announced a while ago but not registered. */
  unregistered: Some;
  /** Files that are registered at a site, but neither processed nor failed. */
  open: Some;
  failed: Some;
  reasons: readonly string[];
  /** Whether the data agent has closed the run, if reported. */
  data_run: 'open' | 'closed' | undefined;
  ended_at: number | undefined;
  /**
   * An earlier run in the namespace that its data agent has not closed; set only if no data agent has opened
   * this run.
   */
  waits_for: string | undefined;
}
