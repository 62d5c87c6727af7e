import * as z from 'zod';

import { countsIn } from '../domain/counts.ts';
import { monitorAnswer } from './monitor/answer-schema.ts';
import { withinBudget } from './monitor/budget.ts';
import {
  agentsOf,
  asEvent,
  clipped,
  datasetOf,
  driverOf,
  durationSeconds,
  lastErrors,
  lastEvents,
} from './monitor/parts.ts';
import { present } from './shared/params.ts';
import { defineTool } from './shared/tool.ts';

export const getWorkflowMonitorTool = defineTool({
  name: 'get_workflow_monitor',
  title: 'Monitor a workflow execution',
  description:
    'How far is it, is it stuck or just slow, what failed first, who is gone, does it keep up? One execution: status, phase, health, counts, progress with ' +
    'seconds_left, what each stage waits for, delays, workers needed, agents, events, errors. Read findings first: each names the call that shows its evidence.',
  input: z.strictObject({ execution_id: z.string().min(1).max(300).describe('Execution id, or "latest"') }),
  output: monitorAnswer,
  handle(args, { queries, now }) {
    const execution = queries.execution(args.execution_id);
    const { execution_id, status, phase, start_time, end_time, run_number, workflow_name, namespace } = execution;
    const data_as_of = queries.dataAsOf();
    const assessed = queries.assessWithFindings(execution, now, data_as_of);
    const { detail, health, isHeld, progress, left, unreadable } = assessed;
    const isRunning = status === 'running';
    const driver = isRunning ? driverOf(execution_id, queries) : null;
    return withinBudget(
      present({
        execution_id,
        workflow_name,
        namespace,
        executed_by: execution.executed_by,
        status,
        status_reason: execution.status_reason === 'completed' ? null : clipped(execution.status_reason),
        phase,
        health,
        paused_by: health !== 'paused' ? null : isHeld ? ('operator' as const) : ('period' as const),
        driver,
        run_id: String(run_number),
        run_number,
        start_time,
        end_time,
        duration_seconds: durationSeconds(execution, now),
        data_as_of,
        message_count: queries.messageCount(execution_id),
        ...countsIn(execution),
        dataset: datasetOf(detail),
        progress: present({ ...progress, ...left }),
        // Without its driver nothing works, whatever waits.
        stages: isRunning && driver?.alive !== false ? assessed.stages : [],
        latency: assessed.delays.map(({ stage, items, p50, p95, max }) => ({ stage, items, p50, p95, max })),
        capacity: isRunning ? assessed.capacity : null,
        findings: assessed.findings.map((finding) => ({ ...finding, sentence: clipped(finding.sentence) ?? '' })),
        agents: unreadable.includes('agents') ? [] : agentsOf(execution_id, queries),
        events: queries.lastLandmarks(execution_id, lastEvents).map(asEvent),
        errors: unreadable.includes('logs') ? [] : lastErrors(execution_id, queries),
      }),
    );
  },
});
