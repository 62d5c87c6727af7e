/** The tool answers that the page reads, typed by the schemas that check them. */
export type { Alarm } from '../../tools/answers/alarm.ts';
export type { Audit } from '../../tools/answers/audit.ts';
export type { Comparison } from '../../tools/answers/comparison.ts';
export type { ExecutionRow } from '../../tools/answers/execution-row.ts';
export type { Finding, Monitor } from '../../tools/answers/monitor.ts';
export type { Page } from '../../tools/answers/page.ts';
export type { Shift } from '../../tools/answers/shift.ts';
export type { Timeline, TimelineAnswer } from '../../tools/answers/timeline.ts';
export type { Trace } from '../../tools/answers/trace.ts';
