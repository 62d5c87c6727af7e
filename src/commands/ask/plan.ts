import { playRun } from '../../domain/plan/played-run.ts';
import { duration, wholeDuration } from '../../lib/duration.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { planOf } from '../../tools/plan-run.ts';
import type { AsPlayed } from '../../tools/plan/as-played.ts';
import { inTurns } from '../../tools/shared/in-steps.ts';
import { plannedParams } from '../control/tool-services.ts';
import type { ConfigFlags, Io } from '../shared/io.ts';
import { type ShownColumn, tableLines } from '../shared/layout.ts';
import { printJson, printLines } from '../shared/print-lines.ts';

interface PlanArguments extends ConfigFlags {
  stfCount?: number;
  /** An execution to replay instead of a configuration. */
  asPlayed?: string;
  json: boolean;
}

/** `swf-mcp plan`: predicts a run of a configuration, without running it. */
export async function planCommand(io: Io, { config, stfCount, asPlayed, sets, json }: PlanArguments) {
  if (asPlayed !== undefined) return planAsPlayed(io, asPlayed, sets, json);
  const counted = stfCount === undefined ? [] : [`fast_processing.stf_count=${stfCount}`];
  const params = plannedParams(io, { config, sets: [...sets, ...counted] });
  const plan = planOf(params, await inTurns(playRun(params)));
  if (json) printJson(io, plan);
  else printLines(io, planLines(plan));
}

function planLines(plan: ReturnType<typeof planOf>) {
  const { target_worker_count: workers, workers_needed: needed, longest_wait_seconds: wait } = plan;
  const enough =
    needed <= workers
      ? 'they keep up'
      : `${needed} would keep up; a slice waits up to ${wholeDuration(wait)} for a worker`;
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

function shownBytes(bytes: number) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** The keys that can be changed, given with or without their configuration section. */
const keys = ['target_worker_count', 'slice_processing_time', 'stf_sampling_rate', 'without_worker', 'without_host'];

/** `swf-mcp plan --as-played`: an execution replayed with its measured times, as it was and with changes. */
async function planAsPlayed(io: Io, execution_id: string, sets: readonly string[], json: boolean) {
  const changes = Object.fromEntries(sets.map(changeOf));
  const [{ askTool }, { planRunTool }] = await Promise.all([
    import('./ask-tool.ts'),
    import('../../tools/plan-run.ts'),
  ]);
  const { as_played, assumptions } = await askTool(io, planRunTool, { execution_id, as_played: true, ...changes });
  if (as_played === undefined) throw new Error('plan_run returned no as_played');
  if (json) printJson(io, { as_played, assumptions });
  else printLines(io, [...linesOf(as_played), ...assumptions.map((one) => `assumed      ${one}`)]);
}

function changeOf(set: string) {
  const [path = '', ...rest] = set.split('=');
  const name = path.trim().replace(/^fast_processing\./, '');
  const value = rest.join('=').trim();
  const key = keys.find((one) => one === name);
  if (key === undefined || value === '') {
    const wrong = value === '' ? 'has no value' : `${JSON.stringify(name)} cannot be changed with --as-played`;
    throw argumentInvalid(`--set ${JSON.stringify(set)}: ${wrong}; each --set changes one of ${keys.join(', ')}`);
  }
  if (key.startsWith('without')) return [key, value];
  if (Number.isNaN(Number(value))) throw argumentInvalid(`--set ${JSON.stringify(set)}: give a number`);
  return [key, Number(value)];
}

type Waits = AsPlayed['was'];

const shown = (seconds: number | undefined) => (seconds === undefined ? 'unknown' : duration(seconds));

/** The run as it was, as replayed, or with changes. */
interface Played {
  name: string;
  waits: Waits;
  /** The number of slices waiting in each bin. */
  waiting: readonly number[];
  /** When the run began, in milliseconds. */
  start: number;
}

const columns: readonly ShownColumn<Played>[] = [
  { head: '', of: 'name' },
  {
    head: 'TOOK',
    align: 'right',
    of: ({ waits: { end, undone = 0 }, start }) =>
      end === undefined ? `${undone} never finished` : duration((Date.parse(end) - start) / 1000),
  },
  { head: 'SLOTS', align: 'right', of: ({ waits }) => waits.worker_slots },
  { head: 'SLICES', align: 'right', of: ({ waits }) => waits.slices },
  { head: 'FAILED', align: 'right', of: ({ waits }) => waits.slices_failed ?? 'unknown' },
  { head: 'MOST WAIT', align: 'right', of: ({ waits }) => waits.backlog_max },
  { head: 'WAIT P50', align: 'right', of: ({ waits }) => shown(waits.wait_p50) },
  { head: 'P95', align: 'right', of: ({ waits }) => shown(waits.wait_p95) },
  { head: 'MAX', align: 'right', of: ({ waits }) => shown(waits.wait_max) },
];

function linesOf({ execution_id, was, replayed, changed, from, backlog, ...rest }: AsPlayed) {
  const start = Date.parse(from);
  const rows: Played[] = [
    { name: 'as it was', waits: was, waiting: backlog.was, start },
    { name: 'replayed', waits: replayed, waiting: backlog.replayed, start },
  ];
  if (changed !== undefined) rows.push({ name: 'with changes', waits: changed, waiting: backlog.changed ?? [], start });
  const most = Math.max(1, ...rows.map(({ waits }) => waits.backlog_max));
  return [
    `${execution_id}, from ${from}, in wall time; the replay ends ${offOf(was, replayed, rest.off_percent)}`,
    ...tableLines(columns, rows),
    '',
    `slices waiting (maximum ${most}); one column per ${rest.bin_seconds} s`,
    ...rows.map(({ name, waiting }) => `${name.padEnd(12)} ${waiting.map((n) => bar(n, most)).join('')}`),
  ];
}

/** How well the model matches the run. */
function offOf({ end: real = '' }: Waits, { end: replayed = '' }: Waits, percent: number) {
  const seconds = (Date.parse(replayed) - Date.parse(real)) / 1000;
  return percent === 0
    ? 'when the run did'
    : `${duration(Math.abs(seconds))} too ${seconds < 0 ? 'early' : 'late'} (${Math.abs(percent)} % of the run)`;
}

const bars = ' ▁▂▃▄▅▆▇█';

/** A number as a bar; any number above 0 gets at least the lowest bar. */
const bar = (n: number, most: number) => (n <= 0 ? '·' : (bars[Math.max(1, Math.ceil((8 * n) / most))] ?? '█'));
