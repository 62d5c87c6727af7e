import { frequentTypes, landmarkTypes } from '../../messages/vocabulary.ts';

const quoted = (types: readonly string[]): string => types.map((type) => `'${type}'`).join(', ');

/**
 * The conditions of the partial indexes. SQLite takes a partial index only for a query that repeats its condition, so the schema and the
 * queries use the same texts.
 */
export const indexPredicates = {
  /** Messages that tell the story of an execution. */
  landmark: `message_type IN (${quoted(landmarkTypes)})`,
  /** Messages that are not of the many types of files and slices. */
  seldom: `message_type NOT IN (${quoted(frequentTypes)})`,
  /** Commands that no driver has taken up. */
  waitingCommand: `effect_code = 'WAITS_FOR_DRIVER'`,
  /** Messages that cannot be read or contradict an earlier one. */
  troubled: `effect IN ('rejected', 'conflict')`,
  withoutEffect: `effect <> 'applied'`,
  awaiting: 'awaits IS NOT NULL',
  unsent: 'outbox_sent_at IS NULL AND outbox_owner IS NOT NULL',
  registeredStf: `status = 'registered'`,
  failedStf: `status = 'failed'`,
  /** Slices that are not completed. */
  openSlice: `status IN ('queued', 'processing', 'failed')`,
  /** Slices that wait or are in hand. */
  pendingSlice: `status IN ('queued', 'processing')`,
  failedSlice: `status = 'failed'`,
  retriedSlice: 'attempt > 1',
  failedAttempt: `state = 'failed'`,
  assignedSlice: 'assigned_worker IS NOT NULL',
  warning: 'level >= 30',
  error: 'level >= 40',
  presentAgent: `state <> 'EXITED'`,
} as const;
