import { present } from '../lib/present.ts';
import { shiftAnswer } from './answers/shift.ts';
import { choice, defineLiveTool, namespace, text } from './shared/tool.ts';
import { reportOfShift } from './shift/report.ts';

export const shiftReportTool = defineLiveTool({
  name: 'shift_report',
  title: 'Shift report',
  description:
    'A hand-over for a period, by default the last 8 hours: what the last shift left, the executions active in the period, failures by cause, alarms, notes, who did what and why, ' +
    'what is open, what the next shift should know. A past period is reported as of its end. text: the same in Markdown.',
  takesLong: () => true,
  takesMoment: true,
  input: () => ({
    start_time: text('ISO 8601 (UTC if no zone is given) or relative: -30m, -8h (default), -1d'),
    end_time: text('Like start_time (default now)'),
    namespace,
    form: choice(['fields', 'text'], 'Only fields, or only text (default both)'),
  }),
  output: () => shiftAnswer().partial(),
  async perform({ form, ...args }, context) {
    const report = await reportOfShift(args, context);
    if (form === undefined) return report;
    const { text: told, ...fields } = report;
    if (form === 'fields') return fields;
    const { start_time, end_time, data_as_of, as_of, as_of_exact, note } = fields;
    return present({ start_time, end_time, text: told, data_as_of, as_of, as_of_exact, note });
  },
});
