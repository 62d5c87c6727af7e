/** Something that whoever watches should know, and the call that shows the evidence. */
export interface Finding {
  code: FindingCode;
  severity: 'info' | 'warning' | 'error';
  sentence: string;
  /** What it is about: agents, workers, slices, messages. */
  ids: string[];
  next: { tool: string; arguments: Record<string, unknown> };
}

export type FindingCode =
  | 'EXECUTION_FAILED'
  | 'DRIVER_GONE'
  | 'DRIVER_SILENT'
  | 'PAUSED'
  | 'STAGE_STUCK'
  | 'STAGE_SLOW'
  | 'AGENT_GONE'
  | 'AGENT_MISSING'
  | 'WORKER_GONE'
  | 'SLICES_FAILED'
  | 'SLICES_RETRIED'
  | 'WORK_UNDONE'
  | 'WORKERS_TOO_FEW'
  | 'MESSAGES_REFUSED'
  | 'MESSAGES_WAITING'
  | 'DATA_OLD'
  | 'UNREADABLE';

/** What is known beside the figures. */
export interface Evidence {
  execution_id: string;
  status_reason: string | null;
  driver: { pid: number; hostname: string; last_beat: string; alive: boolean; silent: boolean } | undefined;
  agents: readonly { agent_name: string; agent_type: string; state: string; status: string; last_heartbeat: string }[];
  /** Agent types that the execution needs and that nobody in its namespace is. */
  missing: readonly string[];
  /** Workers that are gone while they had slices, each with one of them. */
  lost: readonly { worker: string; slice: string }[];
  /** The first error that an agent logged, and how it failed slices first. */
  first_error: { timestamp: string; agent: string; message: string; log_id: number } | undefined;
  exhausted: readonly string[];
  exhausted_count: number;
  refused: { count: number; ids: readonly string[] };
  waiting: { count: number; ids: readonly string[] };
  data_as_of: string | undefined;
  /** Parts of the store that cannot be read. */
  unreadable: readonly string[];
}
