import type { Migration } from './migration.ts';

export const payloads: Migration = {
  name: 'what payload commands leave behind, and how often slices were tried again',
  sql: `
-- What a payload command left behind, an attempt at a slice; there are no rows where the placeholder worked.
CREATE TABLE payload_results (
  slice_filename TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  execution_id TEXT NOT NULL,
  exit_code INTEGER,
  signal TEXT,
  -- The end of what a failed command wrote on stdout and stderr.
  output_tail TEXT,
  -- The files that it wrote (JSON: name, size_bytes, checksum), and how many more there are.
  outputs TEXT,
  outputs_omitted INTEGER,
  PRIMARY KEY (slice_filename, attempt)
) STRICT, WITHOUT ROWID;

ALTER TABLE run_states ADD COLUMN slice_retries INTEGER NOT NULL DEFAULT 0;
UPDATE run_states SET slice_retries = (
  SELECT count(*) FROM slice_attempts WHERE slice_attempts.execution_id = run_states.execution_id AND attempt > 1);

-- A run is found by its execution: a second set of indexes would only cost.
DROP INDEX stf_files_run;
DROP INDEX tf_slices_run;
`,
};
