import * as z from 'zod';

import { countsIn } from '../domain/counts.ts';
import { shownDrivers } from '../domain/shown-drivers.ts';
import { present } from '../lib/present.ts';
import { monitorAnswer } from './answers/monitor.ts';
import { withinBudget } from './monitor/budget.ts';
import { asEvent } from './monitor/events.ts';
import * as part from './monitor/parts.ts';
import { peopleOf } from './monitor/people.ts';
import { requiredExecution } from './shared/params.ts';
import { defineTool } from './shared/tool.ts';

export const getWorkflowMonitorTool = defineTool({
  name: 'get_workflow_monitor',
  title: 'Monitor an execution',
  hasPage: true,
  description:
    'How far is it, is it stuck, what failed, does it keep up? Read findings first: each names its next call.',
  takesMoment: true,
  input: () => z.strictObject({ execution_id: requiredExecution }),
  output: monitorAnswer,
  handle(args, { queries, now }) {
    const execution = queries.execution(args.execution_id);
    const { execution_id, origin, status, phase, start_time, end_time } = execution;
    const data_as_of = queries.dataAsOf();
    const assessed = queries.assessWithFindings(execution, now, data_as_of);
    const { detail, health, progress, left, unreadable, drivers, in_hand } = assessed;
    const { shown, omitted } = shownDrivers(drivers);
    const settings = queries.configuration(execution);
    const isRunning = status === 'running';
    const isDriven = isRunning && queries.driver(execution_id)?.isAlive !== false;
    return withinBudget(
      present({
        execution_id,
        ...part.namesOf(execution, assessed.observed),
        status,
        status_reason: part.statusReason(execution),
        phase,
        health: health ?? null,
        paused_by: assessed.paused_by && part.commandOf(assessed.paused_by),
        stopped_by: part.stopOf(queries.stoppedBy(execution), assessed.pending_stop),
        drivers: origin === 'own' ? shown.map(part.driverOf) : null,
        drivers_omitted: omitted === 0 ? null : omitted,
        start_time,
        end_time,
        ...part.livesOf(assessed),
        data_as_of,
        last_message_id: queries.lastMessage(execution_id)?.message_id,
        message_count: queries.messageCount(execution_id),
        ...countsIn(execution),
        ...part.inHandOf(in_hand, isRunning),
        slices_retried: detail.slices_retried,
        slices_not_done: part.notDone(execution),
        ...part.observedCounts(assessed.observed),
        causes: part.causesOf(assessed.causes),
        oldest_in_hand: part.oldestOf(assessed),
        configuration: settings === undefined ? null : present({ ...settings }),
        dataset: part.datasetOf(detail),
        progress: origin === 'own' ? present({ ...progress, ...left }) : null,
        // Without its driver nothing works, whatever waits.
        stages: isDriven ? assessed.stages.map((stage) => present({ ...stage })) : [],
        latency: assessed.delays.map(({ stage, items, p50, p95, max }) => ({ stage, items, p50, p95, max })),
        capacity: assessed.capacity === undefined ? null : present({ ...assessed.capacity }),
        findings: part.findingsOf(assessed.findings),
        agents: unreadable.includes('agents') ? [] : part.agentsOf(execution_id, queries),
        events: queries.lastLandmarks(execution_id, part.lastEvents).map(asEvent),
        errors: unreadable.includes('logs')
          ? []
          : part.lastErrors(execution_id, queries, assessed.causes.slice(0, part.shownCauses)),
        ...peopleOf(execution_id, queries),
      }),
    );
  },
});
