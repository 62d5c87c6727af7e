import type { Migration } from './migration.ts';

export const stageDelays: Migration = {
  name: 'how long each stage takes, kept as it happens',
  sql: `
-- The delays of a run's items in each stage, by size: bucket n holds those from 1.25^(n-1) to 1.25^n milliseconds. Seconds.
CREATE TABLE stage_delays (
  run_number INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  items INTEGER NOT NULL,
  total REAL NOT NULL,
  longest REAL NOT NULL,
  -- When the last item of the bucket left the stage.
  latest TEXT NOT NULL,
  PRIMARY KEY (run_number, stage, bucket)
) STRICT, WITHOUT ROWID;
INSERT INTO stage_delays
SELECT run_number, stage, iif(delay <= 0.001, 0, CAST(ceil(ln(delay / 0.001) / ln(1.25)) AS INTEGER)) AS bucket,
  count(*), total(delay), max(delay), max(at)
FROM (
  SELECT run_number, stage, at, max(0.0, (julianday(at) - julianday(begun)) * 86400) AS delay FROM (
    SELECT run_number, 0 AS stage, created_at AS begun, processed_at AS at FROM stf_files
    UNION ALL SELECT f.run_number, 1, processed_at, f.created_at FROM fastmon_files AS f JOIN stf_files USING (stf_filename)
    UNION ALL SELECT s.run_number, 2, f.created_at, s.created_at FROM tf_slices AS s JOIN fastmon_files AS f USING (tf_filename)
    UNION ALL SELECT run_number, 3, queued_at, started_at FROM slice_attempts JOIN runs USING (execution_id)
    UNION ALL SELECT run_number, 4, started_at, completed_at FROM slice_attempts JOIN runs USING (execution_id)
  ) WHERE begun IS NOT NULL AND at IS NOT NULL)
GROUP BY run_number, stage, bucket;

-- Files that nobody has measured yet.
CREATE INDEX stf_files_registered ON stf_files (execution_id, seq) WHERE status = 'registered';
`,
};
