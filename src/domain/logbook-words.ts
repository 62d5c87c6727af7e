/** Values of a run's quality. `none` withdraws an earlier one. */
export const qualities = ['good', 'bad', 'test', 'none'] as const;

export type Quality = (typeof qualities)[number];

/** Severities of findings that raise an alarm. */
export const alarmSeverities = ['warning', 'error'] as const;

export type AlarmSeverity = (typeof alarmSeverities)[number];

/** States of an alarm; each is also the change that leads to it. */
export const alarmStates = ['raised', 'seen', 'cleared'] as const;

export type AlarmState = (typeof alarmStates)[number];

/** The message of each change of an alarm. */
export const alarmChanges = {
  alarm_raised: 'raised',
  alarm_seen: 'seen',
  alarm_cleared: 'cleared',
} as const satisfies Record<string, AlarmState>;

export type AlarmMessageType = keyof typeof alarmChanges;

export const alarmMessageTypes = Object.keys(alarmChanges) as AlarmMessageType[];

/** Characters of a note, and of a reason, at most. */
export const maxNote = 4000;

/** Characters of a person's name at most. */
export const maxAuthor = 100;

/** The sender that claims an author's name; null if it is the author. */
export const sentBy = ({ author, sender }: { author: string; sender: string }) => (sender === author ? null : sender);
