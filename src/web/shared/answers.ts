import type { ListItem } from '../../domain/list-columns.ts';

/** The tools' answers as the page reads them, typed by the schemas that check them. */
export type { Audit, Comparison, Trace } from '../../tools/answers/reports.ts';
export type { Finding, Monitor } from '../../tools/answers/monitor.ts';
export type { Page } from '../../domain/list-columns.ts';
export type { Shift } from '../../tools/answers/shift.ts';
export type { Timeline, TimelineAnswer } from '../../tools/answers/timeline.ts';

export type Alarm = ListItem<'list_alarms'>;
export type ExecutionRow = ListItem<'list_workflow_executions'>;
