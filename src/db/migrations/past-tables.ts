/** The columns of an agent that change while the agent is running. */
const changing = [
  'agent_type',
  'namespace',
  'state',
  'process_id',
  'current_execution_id',
  'slots',
  'free_slots',
  'off_duty',
  'clock_offset',
  'wire',
  'unheard_since',
  'heard_on',
] as const;

/** Smaller changes in a clock's offset are ignored. Seconds. */
const steadyClock = 1;

const isUnchanged = changing
  .map((column) =>
    column === 'clock_offset'
      ? `abs(coalesce(last.clock_offset, 0) - coalesce(NEW.clock_offset, 0)) < ${steadyClock}`
      : `last.${column} IS NEW.${column}`,
  )
  .join(' AND ');

/** If two signs of life are further apart than this, the silence between them is recorded. Seconds. */
const silence = 15;

/**
 * A sign of life without a change extends the last row; a change in the same minute as the last row replaces
 * that row. So each agent gets at most one row per minute. An agent that restarts in another process counts as
 * a different agent.
 * @param exit as SQL: the state before an exit, or NULL
 */
const noteAgent = (
  exit: string,
) => `INSERT INTO past_agents (agent_name, is_heard, since, until, ${changing.join(', ')}, before_exit, exited_at)
  VALUES (NEW.agent_name, NEW.heard_on IS NOT NULL,
    coalesce((SELECT since FROM (SELECT * FROM past_agents WHERE agent_name = NEW.agent_name AND is_heard = (NEW.heard_on IS NOT NULL) ORDER BY since DESC LIMIT 1) AS last
      WHERE (last.process_id = NEW.process_id AND substr(last.since, 1, 16) = substr(NEW.last_heartbeat, 1, 16))
        OR (${isUnchanged} AND unixepoch(NEW.last_heartbeat) - unixepoch(last.until) < ${silence})), NEW.last_heartbeat),
    NEW.last_heartbeat, ${changing.map((column) => `NEW.${column}`).join(', ')}, ${exit}, iif(${exit} IS NULL, NULL, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))
  ON CONFLICT DO UPDATE SET until = max(until, excluded.until), ${changing.map((column) => `${column} = excluded.${column}`).join(', ')},
    before_exit = coalesce(excluded.before_exit, before_exit), exited_at = coalesce(excluded.exited_at, exited_at);`;

const noteLease = `INSERT OR REPLACE INTO past_leases (execution_id, epoch, process_id, taken_at, after_seq)
  VALUES (NEW.execution_id, NEW.epoch, NEW.process_id, NEW.taken_at, (SELECT coalesce(max(seq), 0) FROM message_rows));`;

/**
 * As SQL: earlier states that are not in the log, for questions about an earlier moment. Triggers record
 * them, so that no writer can forget to do so.
 */
export const pastTables = `-- Past states of agents: each row is valid from one time to another.
CREATE TABLE past_agents (
  agent_name TEXT NOT NULL,
  -- 1 for an observed program, which may have the name of an agent of this store.
  is_heard INTEGER NOT NULL,
  since TEXT NOT NULL,
  -- The last sign of life in this state.
  until TEXT NOT NULL,
  agent_type TEXT NOT NULL,
  namespace TEXT NOT NULL,
  state TEXT NOT NULL,
  -- If it has ended: its state before, and when the end was recorded, which for a killed one is later than its last sign of life.
  before_exit TEXT,
  exited_at TEXT,
  process_id INTEGER NOT NULL,
  current_execution_id TEXT,
  slots INTEGER,
  free_slots INTEGER,
  off_duty TEXT,
  clock_offset REAL,
  wire INTEGER,
  unheard_since TEXT,
  heard_on TEXT,
  PRIMARY KEY (agent_name, is_heard, since)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER past_agents_begun AFTER INSERT ON system_agents BEGIN
  ${noteAgent('NULL')}
END;
CREATE TRIGGER past_agents_changed AFTER UPDATE ON system_agents BEGIN
  ${noteAgent(`iif(NEW.state = 'EXITED' AND OLD.state <> 'EXITED', OLD.state, NULL)`)}
END;

-- All leases of drivers.
CREATE TABLE past_leases (
  execution_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  process_id INTEGER NOT NULL,
  taken_at TEXT NOT NULL,
  -- The last row of the log before it; the driver's own messages follow in the same transaction.
  after_seq INTEGER NOT NULL,
  PRIMARY KEY (execution_id, epoch)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER past_leases_begun AFTER INSERT ON execution_owners BEGIN
  ${noteLease}
END;
CREATE TRIGGER past_leases_changed AFTER UPDATE ON execution_owners BEGIN
  ${noteLease}
END;

-- Commands that waited for their driver: when their outcome was recorded, and the last row of the log before that.
CREATE TABLE past_commands (
  seq INTEGER PRIMARY KEY,
  after_seq INTEGER NOT NULL,
  noted_at TEXT NOT NULL
) STRICT;
CREATE TRIGGER past_commands_noted AFTER UPDATE OF effect, effect_code ON message_rows
WHEN OLD.effect_code IS 'WAITS_FOR_DRIVER' BEGIN
  INSERT OR REPLACE INTO past_commands (seq, after_seq, noted_at)
  SELECT NEW.seq, coalesce(max(seq), 0), strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM message_rows;
END;

-- When the rows of a block of the log were recorded, to find the last row before a given time. Milliseconds since 1970.
CREATE TABLE recorded_blocks (
  block INTEGER PRIMARY KEY,
  earliest_ms INTEGER NOT NULL,
  latest_ms INTEGER NOT NULL
) STRICT;

`;
