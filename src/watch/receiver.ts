import type { AlarmSeverity, AlarmState } from '../domain/logbook-words.ts';

/** A change of an alarm, as receivers get it. */
export interface Delivery {
  /** The id of the message that records the change: the same at each try. */
  id: string;
  /** One line for people. */
  text: string;
  code: string;
  /** The execution, followed by `:` and the slice, file, worker or host if there is one. */
  subject: string;
  change: AlarmState;
  severity: AlarmSeverity;
  /** How often the alarm has come, from 1. */
  count: number;
  /** The person who has seen it, and what that person said. */
  seen_by?: string | undefined;
  seen_text?: string | undefined;
  execution_id?: string | undefined;
}

/** A receiver refuses a change and would refuse it again. */
export class Refused extends Error {}

/** A person or program that gets alarms. */
export interface Receiver {
  /** Its name in lines for people, without secrets. */
  name: string;
  /** Its name in the store. */
  key: string;
  /** Rejects with the reason of a failure: delivery is retried, after `Refused` a few times. */
  tell(delivery: Delivery, signal: AbortSignal): Promise<void>;
}
