import type { Counts } from '../../domain/counts.ts';
import type { TimelineParts } from '../../monitoring/timeline/told.ts';

/** The answers of tools, as far as the page reads them. Times are ISO 8601, UTC. */
export interface Finding {
  code: string;
  severity: 'error' | 'warning' | 'info';
  sentence: string;
  ids: string[];
  next: { tool: string; arguments: Record<string, unknown> };
}

export interface Monitor extends Counts {
  execution_id: string;
  namespace: string;
  executed_by: string;
  status: string;
  status_reason?: string;
  phase: string;
  health: string;
  run_number: number;
  start_time: string;
  end_time?: string;
  duration_seconds: number;
  data_as_of?: string;
  message_count: number;
  slices_retried: number;
  slices_lost?: number;
  paused_by?: { name: string; time: string; reason?: string };
  stopped_by?: { name: string; time: string; reason?: string };
  drivers: {
    epoch: number;
    since: string;
    until?: string;
    by: string;
    host: string;
    pid: number;
    ended?: string;
    reason?: string;
  }[];
  configuration?: Record<string, string | number | boolean | undefined>;
  progress: {
    stf_planned?: number;
    stf_ready: number;
    slices_final: number;
    slices_planned?: number;
    percent?: number;
    simulation_tick?: number;
    seconds_left?: number;
    at_least?: number;
    at_most?: number;
  };
  capacity?: { service_seconds: number; workers?: number; arrival_rate?: number; workers_needed?: number };
  findings: Finding[];
}

/** As `get_execution_timeline` answers; one that is being read, or has not changed, has the first fields alone. */
export interface Timeline extends TimelineParts {
  execution_id: string;
  seq?: number;
  unchanged?: true;
  loading?: number;
  data_as_of?: string;
}

export interface ExecutionRow {
  execution_id: string;
  namespace: string;
  status: string;
  health: string;
  phase: string;
  run_number: number;
  executed_by: string;
  start_time: string;
  end_time?: string;
  duration_seconds: number;
  stf_count: number;
  slices_created: number;
  slices_completed: number;
  slices_failed: number;
  status_reason?: string;
  retries: number;
}

export interface Page<Item> {
  items: Item[];
  total_count: number;
  total_is_lower_bound?: true;
  has_more: boolean;
  next_cursor?: string;
  data_as_of?: string;
  note?: string;
}

export interface Trace {
  filename: string;
  kind: string;
  execution_id: string;
  status: string;
  standing?: string;
  attempts?: number;
  worker?: string;
  total_seconds: number;
  hops: {
    type: string;
    time: string;
    delay_seconds?: number;
    by?: string;
    worker?: string;
    attempt?: number;
    outcome?: string;
    effect: string;
    note?: string;
  }[];
  logs: { time: string; agent: string; message: string; log_id: number }[];
}

export interface Audit {
  verdict: 'balanced' | 'open' | 'broken';
  summary: string;
  slices_failed: number;
}

interface Both<Value> {
  a: Value;
  b: Value;
}

export interface Comparison {
  status: Both<string>;
  differences: string[];
  figures: Record<string, Both<number>>;
  stages: { stage: string; p50: Both<number>; p95: Both<number>; max: Both<number> }[];
  configuration: ({ key: string } & Partial<Both<string>>)[];
}

export interface Shift {
  start_time: string;
  end_time: string;
  totals: Record<string, number>;
  executions: {
    execution_id: string;
    status: string;
    health?: string;
    slices_completed: number;
    slices_created: number;
    slices_stay_failed: number;
  }[];
  executions_omitted: number;
  causes: { cause: string; attempts: number }[];
  causes_omitted: number;
  people: { time: string; name: string; did: string; execution_id: string; reason?: string }[];
  people_omitted: number;
  open: string[];
  open_omitted: number;
  text: string;
  note?: string;
}
