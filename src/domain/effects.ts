/** The effect of recording a message. */
export const messageEffects = ['applied', 'none', 'rejected', 'conflict'] as const;

export type MessageEffect = (typeof messageEffects)[number];

/**
 * Why a message was recorded without effect: a closed list beside the sentence for people. Decisions rest on the code, so anybody may
 * correct a sentence.
 */
export const effectCodes = [
  /** It cannot be read. */
  'UNREADABLE',
  /** Its `msg_type` is none of the vocabulary. */
  'TYPE_UNKNOWN',
  /** It names no execution. */
  'NO_EXECUTION',
  /** This store has no execution of that id. */
  'EXECUTION_UNKNOWN',
  'EXECUTION_ENDED',
  'OTHER_RUN',
  'OTHER_NAMESPACE',
  /** A `run_workflow` that makes no execution. */
  'NO_NEW_EXECUTION',
  /** It has the id of a recorded message and says something else. */
  'CONTRADICTION',
  /** The state table has no such step. */
  'NO_STEP',
  /** The plan has no such file, sample or slice. */
  'NOT_PLANNED',
  /** It came before what it refers to. It takes effect when that comes. */
  'WAITS',
  /** A command that no driver has taken up yet. */
  'WAITS_FOR_DRIVER',
  /** A command for a state that is there already. */
  'ALREADY',
  /** A command that the driver refused. */
  'REFUSED',
  /** Of other programs: it states nothing that is known here, or names no run. */
  'KEPT',
  /** A command whose driver was gone before it heard of it. */
  'DRIVER_GONE',
] as const;

export type EffectCode = (typeof effectCodes)[number];

/** The effect of recording a message on the other tables. */
export type Effect =
  | { effect: 'applied' }
  | {
      effect: Exclude<MessageEffect, 'applied'>;
      code: EffectCode;
      /** The same for people. */
      reason: string;
      /** The message that it waits for, in the words of `db/projection/awaits.ts`. */
      awaits?: string;
    };
