import { frequentTypes, landmarkTypes } from '../../messages/vocabulary.ts';

const quoted = (types: readonly string[]): string => types.map((type) => `'${type}'`).join(', ');

/** Traits of messages that are few: a condition for each bit of `rare`. */
const rarities = {
  landmark: `message_type IN (${quoted(landmarkTypes)})`,
  seldom: `message_type NOT IN (${quoted(frequentTypes)})`,
  waitingCommand: `effect_code IS 'WAITS_FOR_DRIVER'`,
  troubled: `effect IN ('rejected', 'conflict')`,
  withoutEffect: `effect <> 'applied'`,
};

const bitOf = (rarity: keyof typeof rarities): number => 1 << Object.keys(rarities).indexOf(rarity);

/**
 * As SQL: the bits of a message. It is worked out once a row; the indexes would work out a list of types each, for every one of the many.
 */
export const rareColumn = `CASE WHEN effect = 'applied' AND message_type IN (${quoted(frequentTypes)}) THEN NULL ELSE ${Object.values(
  rarities,
)
  .map((condition, bit) => `((${condition}) << ${bit})`)
  .join(' | ')} END`;

const isRare = (rarity: keyof typeof rarities): string => `(rare & ${bitOf(rarity)}) <> 0`;

/**
 * The conditions of the partial indexes. SQLite takes a partial index only for a query that repeats its condition, so the schema and the
 * queries use the same texts.
 */
export const indexPredicates = {
  /** Messages that tell the story of an execution. */
  landmark: isRare('landmark'),
  /** Messages that are not of the many types of files and slices. */
  seldom: isRare('seldom'),
  /** Commands that no driver has taken up. */
  waitingCommand: isRare('waitingCommand'),
  /** Messages that cannot be read or contradict an earlier one. */
  troubled: isRare('troubled'),
  withoutEffect: isRare('withoutEffect'),
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
