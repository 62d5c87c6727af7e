import type { Health } from '../domain/states.ts';
import { type Capacity, type TimeLeft } from './estimate.ts';
import type { Evidence, Finding } from './evidence.ts';
import { type Facts, type StageState } from './stage-states.ts';

/** Nobody has written for so long while an execution is said to run, in seconds. */
const oldData = 60;

/** Everything worth saying, the worst first. "Behind" alone is nothing: a run may be meant to lag and drain. */
export function findingsOf(
  facts: Facts,
  evidence: Evidence,
  judged: { health: Health; stages: readonly StageState[]; capacity: Capacity | undefined; left: TimeLeft | undefined },
): Finding[] {
  const found = [
    ...ofTheEnd(facts, evidence),
    ...ofUndoneWork(facts, evidence),
    ...ofTheDriver(facts, evidence),
    ...ofStages(facts, evidence, judged.stages),
    ...ofAgents(facts, evidence),
    ...ofSlices(facts, evidence),
    ...ofCapacity(facts, evidence, judged.capacity),
    ...ofMessages(facts, evidence),
    ...ofData(facts, evidence),
  ];
  const order = { error: 0, warning: 1, info: 2 } as const;
  return found.toSorted((a, b) => order[a.severity] - order[b.severity]);
}

const logs = (execution_id: string, more: Record<string, unknown> = {}): Finding['next'] => ({
  tool: 'list_logs',
  arguments: { execution_id, ...more },
});

function ofTheEnd({ status }: Facts, { execution_id, status_reason, first_error }: Evidence): Finding[] {
  if (status !== 'failed') return [];
  // The last words of an execution are an error too, and say no more than the reason.
  const isReason = status_reason !== null && first_error?.message.endsWith(status_reason) === true;
  const first =
    first_error === undefined || isReason
      ? ''
      : `; the first error, at ${first_error.timestamp} by ${first_error.agent}: ${first_error.message}`;
  return [
    {
      code: 'EXECUTION_FAILED',
      severity: 'error',
      sentence: `The workflow could not go on: ${status_reason ?? 'no reason given'}${first}`,
      ids: first_error === undefined ? [] : [first_error.agent],
      next: logs(execution_id, { level: 'WARNING', order: 'oldest' }),
    },
  ];
}

/** What was stopped, or failed, has left something behind. */
function ofUndoneWork({ status, counts, slices_final }: Facts, { execution_id }: Evidence): Finding[] {
  const undone = counts.slices_created - slices_final;
  if (status === 'running' || status === 'completed' || undone === 0) return [];
  return [
    {
      code: 'WORK_UNDONE',
      severity: 'warning',
      sentence: `It ended (${status}) with ${undone} of ${counts.slices_created} TF slices without a final result.`,
      ids: [],
      next: { tool: 'audit_execution', arguments: { execution_id } },
    },
  ];
}

function ofTheDriver({ status, isHeld, phase }: Facts, { execution_id, driver }: Evidence): Finding[] {
  if (status !== 'running') return [];
  if (driver !== undefined && (!driver.alive || driver.silent)) {
    const who = `process ${driver.pid} on ${driver.hostname}`;
    const next = { tool: 'list_agents', arguments: { execution_id } };
    return [
      driver.alive
        ? {
            code: 'DRIVER_SILENT',
            severity: 'error',
            sentence: `The driver, ${who}, lives but has not been heard since ${driver.last_beat}: it is stopped, or its machine is overwhelmed.`,
            ids: [who],
            next,
          }
        : {
            code: 'DRIVER_GONE',
            severity: 'error',
            sentence: `The driver, ${who}, is gone, last heard ${driver.last_beat}; nothing goes on until somebody runs "swf-mcp resume ${execution_id}".`,
            ids: [who],
            next,
          },
    ];
  }
  if (!isHeld) return [];
  return [
    {
      code: 'PAUSED',
      severity: 'info',
      sentence: `An operator has paused it in phase ${phase}; "swf-mcp continue ${execution_id}" lets it go on.`,
      ids: [execution_id],
      next: { tool: 'list_messages', arguments: { execution_id, message_type: 'pause_workflow' } },
    },
  ];
}

const waitsFor: Readonly<Record<StageState['stage'], string>> = {
  daq_simulator: 'The DAQ simulator has announced nothing',
  data: 'The data agent has made no STF file ready',
  fastmon: 'Fastmon has registered no TF sample',
  fast_processing: 'The fast processing agent has queued no TF slice',
  worker: 'No worker has begun or ended a TF slice',
};

function ofStages({ status, counts }: Facts, { execution_id }: Evidence, stages: readonly StageState[]): Finding[] {
  if (status !== 'running') return [];
  return stages
    .filter(({ state }) => state === 'stuck' || state === 'slow')
    .map(({ stage, waiting, idle_seconds, expected_seconds, state }) => ({
      code: state === 'stuck' ? 'STAGE_STUCK' : 'STAGE_SLOW',
      severity: state === 'stuck' ? 'error' : 'warning',
      sentence: `${waitsFor[stage]} for ${idle_seconds} s, with ${waiting} waiting; usual are ${expected_seconds} s.`,
      ids: [stage],
      next:
        stage === 'worker'
          ? {
              tool: 'list_tf_slices',
              arguments: { execution_id, status: counts.slices_queued > 0 ? 'queued' : 'processing', order: 'oldest' },
            }
          : { tool: 'list_agents', arguments: { execution_id } },
    }));
}

function ofAgents({ status }: Facts, { execution_id, agents, missing, lost, driver }: Evidence): Finding[] {
  // Without its driver all agents of its process are gone, which is said already.
  if (status !== 'running' || (driver !== undefined && !driver.alive)) return [];
  const gone = agents.filter((agent) => agent.status === 'STALE' || agent.status === 'ERROR');
  const next = { tool: 'list_agents', arguments: { execution_id } };
  return [
    ...(missing.length === 0
      ? []
      : [
          {
            code: 'AGENT_MISSING' as const,
            severity: 'error' as const,
            sentence: `No ${missing.join(' and no ')} agent works on it; start one with "swf-mcp agent ${missing[0]}".`,
            ids: [...missing],
            next: { tool: 'list_agents', arguments: {} },
          },
        ]),
    ...(gone.length === 0
      ? []
      : [
          {
            code: 'AGENT_GONE' as const,
            severity: 'warning' as const,
            sentence: `Gone without a word, last heard ${gone[0]?.last_heartbeat}: ${gone
              .map(({ agent_name }) => agent_name)
              .slice(0, 5)
              .join(', ')}.`,
            ids: gone.map(({ agent_name }) => agent_name).slice(0, 5),
            next,
          },
        ]),
    ...(lost.length === 0
      ? []
      : [
          {
            code: 'WORKER_GONE' as const,
            severity: 'warning' as const,
            sentence: `${lost.length} slices are in the hands of workers that are gone; the broker hands them out again.`,
            ids: lost.slice(0, 5).flatMap(({ worker, slice }) => [worker, slice]),
            next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'processing' } },
          },
        ]),
  ];
}

function ofSlices(
  { slice_retries }: Facts,
  { execution_id, exhausted, exhausted_count, first_error }: Evidence,
): Finding[] {
  if (exhausted_count > 0) {
    return [
      {
        code: 'SLICES_FAILED',
        severity: 'error',
        sentence: `${exhausted_count} TF slices stay failed, so their data are not processed.${first_error === undefined ? '' : ` First, at ${first_error.timestamp}: ${first_error.message}`}`,
        ids: [...exhausted],
        next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'failed', order: 'oldest' } },
      },
    ];
  }
  if (slice_retries === 0) return [];
  return [
    {
      code: 'SLICES_RETRIED',
      severity: 'info',
      sentence: `${slice_retries} attempts at slices failed and were tried again; none has stayed failed.`,
      ids: [],
      next: logs(execution_id, { level: 'WARNING', search: 'queued again' }),
    },
  ];
}

/** While the DAQ works, with workers that can never catch up, the backlog only grows. */
function ofCapacity(facts: Facts, { execution_id }: Evidence, capacity: Capacity | undefined): Finding[] {
  const isDriven = facts.driver === undefined || facts.driver.alive;
  if (capacity === undefined || !isDriven || facts.status !== 'running' || facts.phase === 'completed') return [];
  const { workers, workers_needed, backlog, backlog_seconds, arrival_rate } = capacity;
  if (workers_needed <= workers || backlog === 0) return [];
  // A run with an end is meant to lag and drain; one without an end is not.
  const isEndless = facts.stf_planned === undefined;
  return [
    {
      code: 'WORKERS_TOO_FEW',
      severity: isEndless ? 'warning' : 'info',
      sentence: `${workers} workers do not keep up with ${arrival_rate} slices/s of ${Math.round(capacity.service_seconds * 10) / 10} s each: ${workers_needed} would. ${backlog} slices wait, ${backlog_seconds} s of work${isEndless ? ', and more come' : '; they drain after the DAQ is done'}.`,
      ids: [],
      next: { tool: 'list_tf_slices', arguments: { execution_id, status: 'queued' } },
    },
  ];
}

function ofMessages({ status }: Facts, { execution_id, refused, waiting }: Evidence): Finding[] {
  // One message, whole; the others are found beside it.
  const next = ([message_id = '']: readonly string[]): Finding['next'] => ({
    tool: 'list_messages',
    arguments: { message_id },
  });
  const refusedFinding: Finding = {
    code: 'MESSAGES_REFUSED',
    severity: 'warning',
    sentence: `${refused.count} messages could not be read or contradict earlier ones, and changed nothing; list_messages(execution_id="${execution_id}", effect="rejected" or "conflict") has them all.`,
    ids: [...refused.ids],
    next: next(refused.ids),
  };
  const waitingFinding: Finding = {
    code: 'MESSAGES_WAITING',
    severity: 'warning',
    sentence: `${waiting.count} messages wait for something that has not come.`,
    ids: [...waiting.ids],
    next: next(waiting.ids),
  };
  // Of an execution that has ended nothing comes any more.
  return [
    ...(refused.count === 0 ? [] : [refusedFinding]),
    ...(waiting.count === 0 || status !== 'running' ? [] : [waitingFinding]),
  ];
}

function ofData({ status, now }: Facts, { data_as_of, execution_id, unreadable }: Evidence): Finding[] {
  const age = data_as_of === undefined ? 0 : (now - Date.parse(data_as_of)) / 1000;
  return [
    ...(unreadable.length === 0
      ? []
      : [
          {
            code: 'UNREADABLE' as const,
            severity: 'error' as const,
            sentence: `The store is damaged: ${unreadable.join(', ')} cannot be read and are left out; "swf-mcp check" says more.`,
            ids: [...unreadable],
            next: { tool: 'audit_execution', arguments: { execution_id } },
          },
        ]),
    ...(status !== 'running' || age < oldData
      ? []
      : [
          {
            code: 'DATA_OLD' as const,
            severity: 'warning' as const,
            sentence: `Nothing has been written into the store for ${Math.round(age)} s although the execution is said to run.`,
            ids: [],
            next: { tool: 'list_agents', arguments: { execution_id } },
          },
        ]),
  ];
}
