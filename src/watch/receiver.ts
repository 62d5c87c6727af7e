import type { AlarmSeverity, AlarmState } from '../domain/logbook-words.ts';

/** A change of an alarm as receivers are told it. */
export interface Delivery {
  /** The id of the message that records the change: the same at each try. */
  id: string;
  /** One line for people. */
  text: string;
  code: string;
  /** The execution, and `:` with the slice, file, worker or host where there is one. */
  subject: string;
  change: AlarmState;
  severity: AlarmSeverity;
  /** How often the alarm has come, from 1. */
  count: number;
  /** The person who has seen it, and what that person said. */
  seen_by?: string;
  seen_text?: string;
  execution_id?: string;
}

/** A receiver does not take what it was told, and would not the next time. */
export class Refused extends Error {}

/** Somebody who is told of alarms. */
export interface Receiver {
  /** In lines for people, without secrets. */
  name: string;
  /** Its name in the store. */
  key: string;
  /** Rejects with what went wrong: it is tried again, after `Refused` a few times. */
  tell(delivery: Delivery, signal: AbortSignal): Promise<void>;
}
