/** The work of a process at a moment. */
export interface Figures {
  /** Unconfirmed messages; since when the oldest waits, in milliseconds since 1970. */
  unsent: { count: number; oldest: number | undefined };
  /** Messages that wait to be answered, by role; slots by state. */
  behind: Record<string, number>;
  slots: Record<string, number>;
  /** How many kinds of work it cannot do, by reason, including 0. */
  offDuty: Record<string, number>;
}

export interface RunningAgent {
  name: string;
  figures(): Figures;
  /** Resolves when the agent has stopped; rejects if it cannot go on. */
  done: Promise<void>;
  /** Finishes the work in hand and stops. */
  stop(): void;
}
