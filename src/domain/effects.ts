/** The effect of recording a message. */
export const messageEffects = ['applied', 'none', 'rejected', 'conflict'] as const;

export type MessageEffect = (typeof messageEffects)[number];

/**
 * Why a message was recorded without effect: a closed list, in addition to the sentence for people. Decisions
 * use only the code, so sentences may be reworded.
 */
export type EffectCode =
  | 'UNREADABLE'
  /** Its `msg_type` is not in the vocabulary. */
  | 'TYPE_UNKNOWN'
  | 'NO_EXECUTION'
  /** This store has no execution with that id. */
  | 'EXECUTION_UNKNOWN'
  | 'EXECUTION_ENDED'
  | 'OTHER_RUN'
  | 'OTHER_NAMESPACE'
  /** A `run_workflow` that makes no execution. */
  | 'NO_NEW_EXECUTION'
  /** It has the id of a recorded message and says something else. */
  | 'CONTRADICTION'
  /** The state table has no such step. */
  | 'NO_STEP'
  /** The plan has no such file, sample or slice. */
  | 'NOT_PLANNED'
  /** It arrived before the thing that it refers to, and takes effect when that arrives. */
  | 'WAITS'
  /** A command that no driver has handled yet. */
  | 'WAITS_FOR_DRIVER'
  /** A command for a state that is already reached. */
  | 'ALREADY'
  /** A command that the driver refused. */
  | 'REFUSED'
  /** From another program: it states nothing known here, or names no run. */
  | 'KEPT'
  /** A command whose driver was gone before receiving it. */
  | 'DRIVER_GONE';

/** The effect of recording a message on the other tables. */
export type Effect =
  | { effect: 'applied' }
  | {
      effect: Exclude<MessageEffect, 'applied'>;
      code: EffectCode;
      /** The same for people. */
      reason: string;
      /** The message that it waits for, in the form defined in `db/projection/effect.ts`. */
      awaits?: string;
    };
