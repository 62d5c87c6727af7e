import type { AsPlayed } from './as-played.ts';
import type { Audit } from './audit.ts';
import type { Comparison } from './comparison.ts';
import type { ExecutionRow } from './execution-row.ts';
import type { Monitor } from './monitor.ts';
import type { Page } from './page.ts';
import type { Shift } from './shift.ts';
import type { Summary } from './summary.ts';
import type { TimelineAnswer } from './timeline.ts';
import type { Trace } from './trace.ts';

/** Answers that our own programs read field by field. */
interface Answers {
  audit_execution: Audit;
  compare_executions: Comparison;
  get_execution_timeline: TimelineAnswer;
  get_workflow_monitor: Monitor;
  list_workflow_executions: Page<ExecutionRow>;
  shift_report: Shift;
  plan_run: { as_played?: AsPlayed; assumptions: string[] };
  summarize: Summary;
  trace_data_product: Trace;
}

/** The answer of a tool by the tool's name; an object of anything if none of our programs reads it. */
export type AnswerOf<Name extends string> = Name extends keyof Answers
  ? Answers[Name] & { as_of?: string; as_of_exact?: string }
  : Record<string, unknown>;
