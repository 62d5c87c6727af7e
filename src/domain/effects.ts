export const messageEffects = ['applied', 'none', 'rejected', 'conflict'] as const;

export type MessageEffect = (typeof messageEffects)[number];

/**
 * Codes for why a message was recorded without effect: a closed list, in addition to the sentences for
 * people. Decisions use only the code, so sentences may be reworded.
 */
export type EffectCode =
  | 'UNREADABLE'
  /** The message's `msg_type` is not in the vocabulary. */
  | 'TYPE_UNKNOWN'
  | 'NO_EXECUTION'
  /** This store has no execution with that id. */
  | 'EXECUTION_UNKNOWN'
  | 'EXECUTION_ENDED'
  | 'OTHER_RUN'
  | 'OTHER_NAMESPACE'
  /** A `run_workflow` that does not create an execution. */
  | 'NO_NEW_EXECUTION'
  /** The message has the id of a recorded message but different content. */
  | 'CONTRADICTION'
  /** The state table has no such transition. */
  | 'NO_STEP'
  /** The plan has no such file, sample or slice. */
  | 'NOT_PLANNED'
  /** The message arrived before the message it refers to, and takes effect when that message arrives. */
  | 'WAITS'
  /** A command that no driver has handled yet. */
  | 'WAITS_FOR_DRIVER'
  /** A command to enter the state that the execution is already in. */
  | 'ALREADY'
  | 'REFUSED'
  /** Another program's message that is not understood here or names no run. */
  | 'KEPT'
  /** A command to a driver that disappeared before receiving it. */
  | 'DRIVER_GONE';

/** The effect that recording a message has on the other tables. */
export type Effect =
  | { effect: 'applied' }
  | {
      effect: Exclude<MessageEffect, 'applied'>;
      code: EffectCode;
      /** The reason, in words for people. */
      reason: string;
      /** The key of the message that this one waits for, as defined in `db/projection/effect.ts`. */
      awaits?: string;
    };
