/** Values of a run's quality. `none` withdraws an earlier value. */
export const qualities = ['good', 'bad', 'test', 'none'] as const;

export type Quality = (typeof qualities)[number];

/** Severities of findings that raise an alarm. */
export const alarmSeverities = ['warning', 'error'] as const;

export type AlarmSeverity = (typeof alarmSeverities)[number];

/** States of an alarm; each also names the change that leads to it. */
export const alarmStates = ['raised', 'seen', 'cleared'] as const;

export type AlarmState = (typeof alarmStates)[number];

/** For each type of message about an alarm, the state that the alarm changes to. */
export const alarmChanges = {
  alarm_raised: 'raised',
  alarm_seen: 'seen',
  alarm_cleared: 'cleared',
} as const satisfies Record<string, AlarmState>;

export type AlarmMessageType = keyof typeof alarmChanges;

export const alarmMessageTypes = Object.keys(alarmChanges) as AlarmMessageType[];

/** Maximum number of characters in a note or a reason. */
export const maxNote = 4000;

/** Maximum number of characters in a person's name. */
export const maxAuthor = 100;

/** The sender that claimed the author's name; null if the sender is the author. */
export const sentBy = ({ author, sender }: { author: string; sender: string }) => (sender === author ? null : sender);
