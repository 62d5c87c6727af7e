/** The columns of an agent that change while it lives. */
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

/** A change of the offset of a clock below this, in seconds, is no news. */
const steadyClock = 1;

const isUnchanged = changing
  .map((column) =>
    column === 'clock_offset'
      ? `abs(coalesce(last.clock_offset, 0) - coalesce(NEW.clock_offset, 0)) < ${steadyClock}`
      : `last.${column} IS NEW.${column}`,
  )
  .join(' AND ');

/** Signs of life that are further apart, in seconds, leave a silence between them that is told. */
const silence = 15;

/**
 * A sign of life without news makes the last row longer; a change within the minute of the last row takes its place. So a row is written at most once a minute
 * and agent.
 */
const noteAgent = `INSERT INTO past_agents (agent_name, since, until, ${changing.join(', ')})
  VALUES (NEW.agent_name,
    coalesce((SELECT since FROM (SELECT * FROM past_agents WHERE agent_name = NEW.agent_name ORDER BY since DESC LIMIT 1) AS last
      WHERE substr(last.since, 1, 16) = substr(NEW.last_heartbeat, 1, 16)
        OR (${isUnchanged} AND unixepoch(NEW.last_heartbeat) - unixepoch(last.until) < ${silence})), NEW.last_heartbeat),
    NEW.last_heartbeat, ${changing.map((column) => `NEW.${column}`).join(', ')})
  ON CONFLICT DO UPDATE SET until = max(until, excluded.until), ${changing.map((column) => `${column} = excluded.${column}`).join(', ')};`;

const noteLease = `INSERT OR REPLACE INTO past_leases (execution_id, epoch, process_id, taken_at)
  VALUES (NEW.execution_id, NEW.epoch, NEW.process_id, NEW.taken_at);`;

/** As SQL: what was there before and is not in the log, for questions about an earlier moment. Triggers keep it, so that no writer can forget to. */
export const pastTables = `-- Agents as they were: a row holds from one time to another.
CREATE TABLE past_agents (
  agent_name TEXT NOT NULL,
  since TEXT NOT NULL,
  -- The last sign of life in this state.
  until TEXT NOT NULL,
  agent_type TEXT NOT NULL,
  namespace TEXT NOT NULL,
  state TEXT NOT NULL,
  process_id INTEGER NOT NULL,
  current_execution_id TEXT,
  slots INTEGER,
  free_slots INTEGER,
  off_duty TEXT,
  clock_offset REAL,
  wire INTEGER,
  unheard_since TEXT,
  heard_on TEXT,
  PRIMARY KEY (agent_name, since)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER past_agents_begun AFTER INSERT ON system_agents BEGIN
  ${noteAgent}
END;
CREATE TRIGGER past_agents_changed AFTER UPDATE ON system_agents BEGIN
  ${noteAgent}
END;

-- Every lease that a driver had.
CREATE TABLE past_leases (
  execution_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  process_id INTEGER NOT NULL,
  taken_at TEXT NOT NULL,
  PRIMARY KEY (execution_id, epoch)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER past_leases_begun AFTER INSERT ON execution_owners BEGIN
  ${noteLease}
END;
CREATE TRIGGER past_leases_changed AFTER UPDATE ON execution_owners BEGIN
  ${noteLease}
END;

-- When the rows of a block of the log were recorded, for the row that was the last one at a time. Milliseconds since 1970.
CREATE TABLE recorded_blocks (
  block INTEGER PRIMARY KEY,
  earliest_ms INTEGER NOT NULL,
  latest_ms INTEGER NOT NULL
) STRICT;

`;
