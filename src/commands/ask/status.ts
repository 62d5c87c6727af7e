import { ownWords } from '../../domain/causes.ts';
import { usualConfiguration } from '../../domain/names.ts';
import { isPrompt } from '../../domain/workflows.ts';
import { counted } from '../../lib/counted.ts';
import { duration, wholeDuration } from '../../lib/duration.ts';
import { SwfError } from '../../lib/errors.ts';
import { allPrintable, printable } from '../../lib/printable.ts';
import { shortPaths, claimedName } from '../../lib/words.ts';
import { clause, openWords, statusWords, stayFailed } from '../../mcp/words.ts';
import type { Monitor } from '../../tools/answers/monitor.ts';
import { getWorkflowMonitorTool } from '../../tools/get-workflow-monitor.ts';
import type { AnswerOf } from '../../tools/index.ts';
import { listWorkflowExecutionsTool } from '../../tools/list-workflow-executions.ts';
import { type Io, storeOption, withStore } from '../shared/io.ts';
import { createPaint, paintingStates } from '../shared/palette.ts';
import { phaseWords } from '../shared/phase-words.ts';
import { printLines } from '../shared/print-lines.ts';
import { askTool } from './ask-tool.ts';
import { datasetLine, heardCounts } from './heard-lines.ts';

/** Characters of a cause that show whether a finding has it: it may cut the rest. */
const comparedCause = 60;

/** Characters of an error that show whether a finding has it. */
const comparedError = 30;

export interface StatusArguments {
  executionId?: string;
  json: boolean;
  all: boolean;
  asOf?: string;
}

/**
 * `swf-mcp status`: the monitor's answer for a person. Without an id: all running executions, else the newest. As JSON: one object, of the newest;
 * with `all`, an array.
 */
export async function statusCommand(io: Io, { executionId: given, json, all, asOf: as_of }: StatusArguments) {
  const running = given !== undefined || (json && !all) ? [] : await runningIds(io, as_of);
  const ids = running.length === 0 ? [given ?? 'latest'] : running;
  const answers: AnswerOf<'get_workflow_monitor'>[] = [];
  for (const execution_id of ids)
    try {
      answers.push(await askTool(io, getWorkflowMonitorTool, { execution_id, as_of }));
    } catch (error) {
      // One that cannot be read does not hide the others.
      if (given !== undefined || !(error instanceof SwfError)) throw error;
      if (ids.length === 1) throw error;
      io.err(`${printable(execution_id)} cannot be shown: ${error.line}`);
    }
  if (json) io.out(`${JSON.stringify(allPrintable(all ? answers : answers[0]))}\n`);
  else
    printLines(
      io,
      answers.flatMap((one, at) => [...(at === 0 ? [] : ['']), ...statusLines(one, storeOption(io))]),
      paintingStates(createPaint(io.terminal('out')?.colorDepth)),
    );
}

/** Running executions, newest last, where a person looks first. */
async function runningIds(io: Io, as_of: string | undefined) {
  const filter = { status: 'running', order: 'oldest', limit: 20, as_of };
  const { items } = await askTool(io, listWorkflowExecutionsTool, filter);
  return items.map(({ execution_id }) => execution_id);
}

function pauseOf({ paused_by, health, execution_id }: Monitor, option: string) {
  if (health !== 'paused') return '';
  if (paused_by === undefined) return ' between two periods, continues by itself';
  return ` by ${givenBy(paused_by)}; swf-mcp${option} continue ${execution_id}`;
}

const givenBy = ({ name, time, reason, sent_by }: NonNullable<Monitor['paused_by']>) =>
  `${claimedName(name, sent_by)} at ${time}${clause(' (', reason, ')')}`;

/** The time left, as far as it is known. */
function leftOf({ progress }: Monitor) {
  const { seconds_left, at_least, at_most } = progress ?? {};
  if (seconds_left === undefined || at_least === undefined) return [];
  const range =
    at_most === undefined
      ? 'or more: it is not known how long the overdue slices take'
      : `between ${wholeDuration(at_least)} and ${wholeDuration(at_most)}`;
  return [`  time left   about ${wholeDuration(seconds_left)}, ${range}`];
}

/** The driver, if it is not the first. */
function driverOf(answer: Monitor) {
  const driver = answer.drivers?.at(-1);
  // How a former driver ended is a finding.
  if (driver === undefined || driver.epoch === 1 || silentSince(answer) !== undefined) return [];
  const { pid, host, by, since, epoch } = driver;
  return [`  driver      process ${pid ?? 'unknown'} on ${host}, number ${epoch}, started by ${by} at ${since}`];
}

const heldOf = ({ paused_by, health }: Monitor) =>
  paused_by === undefined || health === 'paused' ? [] : [`  paused by   ${givenBy(paused_by)}`];

/** A pending stop has a finding instead. */
const stopLines = ({ stopped_by }: Monitor) =>
  stopped_by === undefined || stopped_by.pending === true ? [] : [`  ended by    ${givenBy(stopped_by)}`];

/** The slice that has been in hand longest. */
function oldestOf({ oldest_in_hand, slices_overdue = 0 }: Monitor) {
  if (oldest_in_hand === undefined) return [];
  const { slice_filename: slice, assigned_worker, seconds, usual_seconds } = oldest_in_hand;
  const usual =
    usual_seconds === undefined ? 'the usual duration is not known yet' : `usual ${duration(usual_seconds)}`;
  const overdue = slices_overdue === 0 ? '' : `, ${slices_overdue} overdue`;
  return [`  oldest      ${slice} in hand for ${wholeDuration(seconds)} by ${assigned_worker} (${usual}${overdue})`];
}

function configurationOf({ configuration }: Monitor) {
  if (configuration === undefined) return [];
  const { config, speed, target_worker_count, payload } = configuration;
  // Our own programs record all of these; of an observed run only some are known.
  const known = [
    speed === undefined ? config : (config ?? usualConfiguration),
    speed === undefined ? undefined : `speed ${speed}`,
    target_worker_count === undefined ? undefined : counted(target_worker_count, 'worker'),
    payload === undefined ? undefined : `payload ${payload}`,
  ].filter((word) => word !== undefined);
  return known.length === 0 ? [] : [`  started as  ${known.join(', ')}`];
}

/** The agents that are not well, a line each, and the number of OK agents. */
function agentsOf({ agents }: Monitor) {
  const unwell = agents.filter(({ status }) => status !== undefined && status !== 'OK');
  const well = agents.filter(({ status }) => status === 'OK').length;
  return [
    ...(well === 0 ? [] : [`  agents      ${well}${unwell.length === 0 ? '' : ' others'} OK`]),
    ...unwell.map(
      ({ agent_name, state, status }) => `  agent       ${[agent_name, state, status].filter(Boolean).join(' ')}`,
    ),
  ];
}

/**
 * The causes of failed attempts at slices that no finding names, with counts: many failures have few causes.
 */
const causesOf = ({ causes = [], findings }: Monitor) =>
  causes
    .filter(({ cause }) => {
      // A sentence may lack the words that all causes share, and has short paths.
      const words = shortPaths(ownWords(cause)).slice(0, comparedCause);
      return !findings.some(({ sentence }) => sentence.includes(words));
    })
    .map(
      ({ cause, attempts, example }) => `  failed      ${attempts} × ${cause}${clause(' (such as: ', example, ')')}`,
    );

/** The last errors that no finding repeats. */
const errorsOf = ({ errors, findings }: Monitor): string[] =>
  errors
    .filter(({ error }) => {
      // The same error may have other words before its code, and other paths.
      const words = shortPaths(/[A-Z]{3,}_[A-Z_]+: .*/.exec(error)?.[0] ?? error).slice(0, comparedError);
      return !findings.some(({ sentence }) => sentence.includes(words));
    })
    .map(
      ({ time, source, error, more }) =>
        `  error       ${time} ${source}: ${error}${clause(' (and ', more, ' like it)')}`,
    );

/** The verdict. It comes last, where a terminal of 24 lines shows it. */
function verdictOf(answer: Monitor, option: string) {
  const { execution_id, status, status_reason, health } = answer;
  const { slices_failed = 0, stf_failed = 0, slices_unanswered = 0 } = answer;
  const open =
    status === 'running' || slices_unanswered === 0 ? '' : `, ${counted(slices_unanswered, 'slice')} without a result`;
  const slices = counted(slices_failed, 'slice');
  const failed = status === 'running' ? `${slices} failed` : stayFailed(slices_failed, slices);
  const files = stf_failed === 0 ? '' : `, ${counted(stf_failed, 'STF file')} failed`;
  return `${execution_id}: ${statusWords(status, status_reason)}${slices_failed === 0 ? '' : `, ${failed}`}${files}${open}${clause(', health ', health)}${pauseOf(answer, option)}`;
}

/** The progress of an own execution against its plan. */
function plannedCounts(answer: Monitor, progress: NonNullable<Monitor['progress']>) {
  const { slices_queued = 0, slices_processing = 0, slices_to_redo: lost = 0 } = answer;
  return [
    `  STF files   ${answer.stf_count}${clause(' of ', progress.stf_planned)} announced, ${progress.stf_ready} ready`,
    `  TF samples  ${answer.tf_files_received} of ${progress.tf_files_planned ?? progress.tf_files_expected}`,
    `  TF slices   ${answer.slices_created}${clause(' of ', progress.slices_planned)}: ${openWords(slices_queued, { count: slices_processing - lost, lost })}, ` +
      `${answer.slices_completed} completed, ${answer.slices_failed} failed${clause(', ', progress.percent, ' % of the run')}`,
  ];
}

/** Since when a running execution is silent, if its driver is gone. */
function silentSince({ status, drivers }: Monitor) {
  const driver = drivers?.at(-1);
  return status === 'running' ? (driver?.until ?? driver?.last_heard) : undefined;
}

/** How long it has run. */
function livedOf(answer: Monitor) {
  const [lived, silent] = [duration(answer.duration_seconds), silentSince(answer)];
  return silent === undefined ? lived : `ran for ${lived}, silent since ${silent}`;
}

/** The quality of an execution and the notes about it, the last note first. */
const peopleLines = ({ quality, notes = [] }: Monitor) => [
  ...(quality === undefined
    ? []
    : [`  quality     ${quality.value}: ${quality.reason} (${quality.author}, ${quality.at})`]),
  ...notes.map(({ at, author, about, text }) => `  note        ${at} ${author}${clause(', ', about)}: ${text}`),
];

function statusLines(answer: AnswerOf<'get_workflow_monitor'>, option: string): string[] {
  const { progress, dataset } = answer;
  return [
    answer.execution_id,
    `  run         ${[answer.run_id, isPrompt(answer) ? 'prompt processing' : '', phaseWords(answer), answer.namespace && `namespace ${answer.namespace}`, answer.origin === 'observed' ? 'observed' : ''].filter(Boolean).join(', ')}`,
    ...configurationOf(answer),
    ...(answer.as_of === undefined ? [] : [`  as of       ${answer.as_of}: everything below is as it was then`]),
    `  started     ${answer.start_time}, ${livedOf(answer)}`,
    `  messages    ${answer.message_count}${clause(', the store was last written ', answer.data_as_of)}`,
    ...(dataset === undefined ? [] : [datasetLine(dataset)]),
    ...agentsOf(answer),
    ...(progress === undefined ? heardCounts(answer) : plannedCounts(answer, progress)),
    ...causesOf(answer),
    ...errorsOf(answer),
    ...oldestOf(answer),
    ...driverOf(answer),
    ...heldOf(answer),
    ...stopLines(answer),
    ...answer.findings.map(
      ({ severity, code, sentence }) => `  ${severity.padEnd(10)}  ${code}: ${withStore(sentence, option)}`,
    ),
    ...peopleLines(answer),
    ...(answer.note === undefined ? [] : [`  note        ${answer.note}`]),
    ...leftOf(answer),
    verdictOf(answer, option),
  ];
}
