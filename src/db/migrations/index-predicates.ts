import { frequentTypes, landmarkTypes, logbookTypes } from '../../messages/vocabulary.ts';

/** Traits of rare messages, one bit each: some depend on the type, others on the effect. */
const bits = { landmark: 1, seldom: 2, waitingCommand: 4, troubled: 8, withoutEffect: 16, logbook: 32 } as const;

/** Traits that depend on the effect. */
const ofEffect = {
  waitingCommand: `effect_code IS 'WAITS_FOR_DRIVER'`,
  troubled: `effect IN ('rejected', 'conflict')`,
  withoutEffect: `effect <> 'applied'`,
} as const;

const frequent: ReadonlySet<string> = new Set(frequentTypes);
const landmarks: ReadonlySet<string> = new Set(landmarkTypes);
const logbook: ReadonlySet<string> = new Set(logbookTypes);

/** The traits of a type as bits; null for the frequent types, which nearly all messages have. */
export function typeTraits(type: string, isHeard: boolean) {
  if (frequent.has(type)) return null;
  const isEntry = logbook.has(type) && !isHeard;
  return bits.seldom | (landmarks.has(type) ? bits.landmark : 0) | (isEntry ? bits.logbook : 0);
}

/**
 * As SQL: the traits of a message as bits, computed once per row. Otherwise each index would evaluate its
 * condition for every row.
 */
export const rareColumn = `CASE WHEN effect = 'applied' THEN type_traits ELSE coalesce(type_traits, 0) | ${Object.entries(
  ofEffect,
)
  .map(([trait, condition]) => `((${condition}) * ${bits[trait as keyof typeof ofEffect]})`)
  .join(' | ')} END`;

const isRare = (trait: keyof typeof bits) => `(rare & ${bits[trait]}) <> 0`;

/**
 * The conditions of the partial indexes. SQLite uses a partial index only for a query that repeats its
 * condition, so the schema and the queries share these texts.
 */
export const indexPredicates = {
  /**
   * Messages that determine the state of an observed slice. With the bare column, SQLite would prepare a query
   * about a subject again whenever a different value is bound.
   */
  deciding: `subject || '' = 'attempt'`,
  /** Messages that mark important steps of an execution. */
  landmark: isRare('landmark'),
  /** All messages except the many about files and slices. */
  seldom: isRare('seldom'),
  waitingCommand: isRare('waitingCommand'),
  /** Messages that cannot be read, or that contradict an earlier message. */
  troubled: isRare('troubled'),
  withoutEffect: isRare('withoutEffect'),
  /** Entries by people, and alarms. */
  logbook: isRare('logbook'),
  /** All messages except logbook entries: a logbook entry about a run does not show that the run is active. */
  exceptLogbook: `(${isRare('logbook')}) IS NOT TRUE`,
  awaiting: 'awaits IS NOT NULL',
  unsent: 'outbox_sent_at IS NULL AND goes_out IN (1, 2)',
  registeredStf: `status = 'registered'`,
  failedStf: `status = 'failed'`,
  /** Slices that are not completed. */
  openSlice: `status IN ('queued', 'processing', 'failed', 'unanswered')`,
  /** Slices without a result. */
  pendingSlice: `status IN ('queued', 'processing', 'unanswered')`,
  failedSlice: `status = 'failed'`,
  retriedSlice: 'attempt + followed_starts > 1',
  tookTime: 'took_ms IS NOT NULL',
  waitedTime: 'waited_ms IS NOT NULL',
  assignedSlice: 'assigned_worker IS NOT NULL',
  warning: 'level >= 30',
  error: 'level >= 40',
  presentAgent: `state <> 'EXITED'`,
  remoteProcess: 'is_remote = 1',
  /** An agent of this store. */
  ownAgent: 'heard_on IS NULL',
  /** An agent of another program. */
  heardAgent: 'heard_on IS NOT NULL',
} as const;
