import { playRun } from '../../domain/plan/played-run.ts';
import { wholeDuration } from '../../lib/duration.ts';
import { planOf } from '../../tools/plan-run.ts';
import { inTurns } from '../../tools/shared/in-steps.ts';
import { plannedParams } from '../control/tool-services.ts';
import type { ConfigFlags, Io } from '../shared/io.ts';
import { printLines } from '../shared/print-lines.ts';

export interface PlanArguments extends ConfigFlags {
  stfCount: number | undefined;
  json: boolean;
}

/** `swf-mcp plan`: how a run of a configuration would go, without running it. */
export async function planCommand(io: Io, { config, stfCount, sets, json }: PlanArguments): Promise<void> {
  const counted = stfCount === undefined ? [] : [`fast_processing.stf_count=${stfCount}`];
  const params = plannedParams(io, config, [...sets, ...counted]);
  const plan = planOf(params, await inTurns(playRun(params)));
  if (json) io.out(`${JSON.stringify(plan)}\n`);
  else printLines(io, planLines(plan));
}

function planLines(plan: ReturnType<typeof planOf>): string[] {
  const { target_worker_count: workers, workers_needed: needed, longest_wait_seconds: wait } = plan;
  const enough =
    needed <= workers ? 'they keep up' : `${needed} would keep up; a slice waits up to ${wholeDuration(wait)} for one`;
  return [
    `STF files    ${plan.stf_files}`,
    `TF samples   ${plan.tf_files}`,
    `TF slices    ${plan.slices}`,
    `workers      ${workers}, busy ${Math.round(plan.worker_use * 100)} % of the time; ${enough}`,
    `messages     ${plan.messages}`,
    `store        ${shownBytes(plan.store_bytes)}`,
    `data files   ${shownBytes(plan.data_bytes)}`,
    `DAQ          ${wholeDuration(plan.daq_seconds)}`,
    `whole run    ${wholeDuration(plan.total_seconds)}`,
    ...plan.assumptions.map((one) => `assumed      ${one}`),
  ];
}

function shownBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
