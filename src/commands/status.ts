import type { Counts } from '../domain/counts.ts';
import { printable } from '../lib/printable.ts';
import { askTool } from './call.ts';
import { duration, wholeDuration } from './duration.ts';
import { type Io, storeOption } from './io.ts';

/** The monitor's answer as far as people are shown it; the tool's output schema has checked it. */
interface MonitorAnswer extends Counts {
  execution_id: string;
  status: string;
  status_reason?: string;
  phase: string;
  health: string;
  paused_by?: string;
  driver?: { pid: number; hostname: string; alive: boolean; last_seen: string };
  namespace: string;
  run_number: number;
  start_time: string;
  duration_seconds: number;
  data_as_of?: string;
  message_count: number;
  dataset?: { name: string; state: string; files: number; bytes: number };
  progress: {
    stf_planned?: number;
    stf_ready: number;
    tf_files_expected: number;
    tf_files_planned?: number;
    slices_planned?: number;
    percent?: number;
    seconds_left?: number;
    at_least?: number;
    at_most?: number;
  };
  findings: { code: string; severity: string; sentence: string }[];
  agents: { agent_name: string; state: string; status: string }[];
  errors: { time: string; source: string; error: string }[];
}

/** `swf-mcp status`: the monitor's answer for a person. Returns the exit code. */
export function statusCommand(io: Io, executionId: string | undefined, json: boolean): number {
  const answer = askTool(io, 'get_workflow_monitor', { execution_id: executionId ?? 'latest' });
  io.out(
    json
      ? `${JSON.stringify(answer)}\n`
      : `${statusLines(answer as unknown as MonitorAnswer, storeOption(io))
          .map(printable)
          .join('\n')}\n`,
  );
  return 0;
}

function pauseOf({ paused_by, execution_id }: MonitorAnswer, option: string): string {
  if (paused_by === undefined) return '';
  return paused_by === 'operator'
    ? ` by an operator; swf-mcp${option} continue ${execution_id}`
    : ' between two periods';
}

/** The time that is left, as far as anybody can tell. */
function leftOf({ progress: { seconds_left, at_least, at_most } }: MonitorAnswer): string[] {
  if (seconds_left === undefined || at_least === undefined || at_most === undefined) return [];
  return [
    `  time left   about ${wholeDuration(seconds_left)}, between ${wholeDuration(at_least)} and ${wholeDuration(at_most)}`,
  ];
}

/** The driver, when it was last heard, and what to do. */
function stallOf({ driver, health, execution_id }: MonitorAnswer, option: string): string[] {
  if (driver === undefined || health !== 'stalled') return [];
  const { pid, hostname, alive, last_seen } = driver;
  // One that lives and is not heard is told of by a finding.
  if (alive) return [];
  return [
    `  driver      process ${pid} on ${hostname} is gone, last heard ${last_seen}; swf-mcp${option} resume ${execution_id}`,
  ];
}

function statusLines(answer: MonitorAnswer, option: string): string[] {
  const { progress, dataset } = answer;
  const planned = progress.stf_planned === undefined ? '' : ` of ${progress.stf_planned}`;
  const percent = progress.percent === undefined ? '' : `, ${progress.percent} % of the run`;
  return [
    `${answer.execution_id}: ${answer.status}${answer.status_reason === undefined ? '' : ` (${answer.status_reason})`}, health ${answer.health}${pauseOf(answer, option)}`,
    ...stallOf(answer, option),
    `  run         ${answer.run_number}, phase ${answer.phase}, namespace ${answer.namespace}`,
    `  started     ${answer.start_time}, ${duration(answer.duration_seconds)}`,
    `  STF files   ${answer.stf_count}${planned} announced, ${progress.stf_ready} ready`,
    `  TF samples  ${answer.tf_files_received} of ${progress.tf_files_planned ?? progress.tf_files_expected}`,
    `  TF slices   ${answer.slices_created}${progress.slices_planned === undefined ? '' : ` of ${progress.slices_planned}`}: ${answer.slices_queued} queued, ${answer.slices_processing} processing, ` +
      `${answer.slices_completed} completed, ${answer.slices_failed} failed${percent}`,
    ...(dataset === undefined
      ? []
      : [`  dataset     ${dataset.name} (${dataset.state}), ${dataset.files} files, ${dataset.bytes} bytes`]),
    ...leftOf(answer),
    `  messages    ${answer.message_count}`,
    ...answer.findings.map(({ severity, code, sentence }) => `  ${severity.padEnd(10)}  ${code}: ${sentence}`),
    ...answer.agents.map((agent) => `  agent       ${agent.agent_name} ${agent.state} ${agent.status}`),
    ...answer.errors.map((error) => `  error       ${error.time} ${error.source}: ${error.error}`),
    ...(answer.data_as_of === undefined ? [] : [`  data as of  ${answer.data_as_of}`]),
  ];
}
