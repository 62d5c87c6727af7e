import type { AlarmSeverity, AlarmState } from '../../domain/logbook-words.ts';
import { alarmColumns, type AlarmRow } from '../logbook/alarms.ts';
import type { Prepare } from '../sqlite/statements.ts';
import type { Page, Texts, Window } from './list-query.ts';
import { listRows } from './list-rows.ts';

export interface AlarmFilter extends Window, Texts<'execution_id' | 'namespace'> {
  state?: AlarmState | undefined;
  severity?: AlarmSeverity | undefined;
}

const ofNamespace = 'execution_id IN (SELECT execution_id FROM workflow_executions WHERE namespace = ?)';

/** Alarms in the order in which they were raised last. */
export const listAlarms = (sql: Prepare, filter: AlarmFilter, page: Page) =>
  listRows<AlarmRow>(sql, {
    select: alarmColumns,
    from: 'alarms',
    key: 'seq',
    time: 'raised_at',
    conditions: {
      execution: ['execution_id = ?', filter.execution_id],
      state: ['state = ?', filter.state],
      severity: ['severity = ?', filter.severity],
      namespace: [ofNamespace, filter.namespace],
    },
    indexes: [
      ['alarms_execution', ['execution']],
      ['alarms_open', ['state']],
    ],
    window: filter,
    page,
  });
