/** Values of a run's quality. `none` takes an earlier one back. */
export const qualities = ['good', 'bad', 'test', 'none'] as const;

export type Quality = (typeof qualities)[number];

/** Severities of findings that raise an alarm. */
export const alarmSeverities = ['warning', 'error'] as const;

export type AlarmSeverity = (typeof alarmSeverities)[number];

export const alarmStates = ['raised', 'seen', 'cleared'] as const;

export type AlarmState = (typeof alarmStates)[number];

/** Characters of a note, and of a reason, at most. */
export const maxNote = 4000;

/** Characters of a person's name at most. */
export const maxAuthor = 100;
