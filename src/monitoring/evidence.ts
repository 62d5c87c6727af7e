/** Facts about an execution beside its figures. */
export interface Evidence {
  execution_id: string;
  status_reason: string | null;
  driver: { pid: number; hostname: string; last_beat: string; alive: boolean; silent: boolean } | undefined;
  agents: readonly { agent_name: string; agent_type: string; state: string; status: string; last_heartbeat: string }[];
  /** Agent types that the execution needs and that no living agent of its namespace has. */
  missing: readonly string[];
  /** Workers that are gone while they had slices, each with one of them. */
  lost: readonly { worker: string; slice: string }[];
  /** The first error that an agent logged; the verdict of the driver is none. */
  first_error: { timestamp: string; agent: string; message: string; log_id: number } | undefined;
  /** Slices that stay failed: some of them, and how many there are. */
  exhausted: readonly string[];
  exhausted_count: number;
  refused: { count: number; ids: readonly string[] };
  waiting: { count: number; ids: readonly string[] };
  data_as_of: string | undefined;
  /** Parts of the store that cannot be read. */
  unreadable: readonly string[];
}
