import { ownWords } from '../../domain/causes.ts';
import { usualConfiguration } from '../../domain/names.ts';
import { isPrompt } from '../../domain/workflows.ts';
import { counted } from '../../lib/counted.ts';
import { duration, wholeDuration } from '../../lib/duration.ts';
import { claimedName, clause, shortPaths } from '../../lib/words.ts';
import type { Monitor } from '../answers/monitor.ts';
import { siteWords } from '../shared/sites.ts';
import { openWords, phaseWords, statusWords, stayFailed } from './words.ts';

/** One thing that is known about an execution. */
interface Fact {
  label: string;
  words: string;
}

/** The text of a fact, or of several facts with one label; undefined if nothing is known. */
type Words = string | readonly string[] | undefined;

/**
 * The monitor's answer as facts, in a fixed order. `status`, reports and the summary of a run show these facts,
 * each in a different form. `verdictOf` returns what people must see first.
 */
export function factsOf(answer: Monitor & { as_of?: string }): Fact[] {
  const facts: [label: string, words: Words][] = [
    ['run', runOf(answer)],
    ['started as', configurationOf(answer)],
    ['as of', answer.as_of && `${answer.as_of}: everything below shows the state at that time`],
    ['started', startOf(answer)],
    ['messages', `${answer.message_count}${clause(', the store was last written to at ', answer.data_as_of)}`],
    ['dataset', datasetOf(answer)],
    ...agentsOf(answer),
    ...(answer.progress === undefined ? heardCounts(answer) : plannedCounts(answer, answer.progress)),
    ['failed', causesOf(answer)],
    ['error', errorsOf(answer)],
    ['oldest', oldestOf(answer)],
    ['driver', driversOf(answer)],
    ['paused by', answer.health === 'paused' ? undefined : givenBy(answer.paused_by)],
    // A pending stop is left out here, since a finding reports it.
    ['ended by', answer.stopped_by?.pending === true ? undefined : givenBy(answer.stopped_by)],
    ...answer.findings.map(({ severity, code, sentence }): [string, Words] => [severity, `${code}: ${sentence}`]),
    ['quality', qualityOf(answer)],
    ['note', notesOf(answer)],
    ['time left', leftOf(answer)],
  ];
  return facts.flatMap(([label, words = []]) => [words].flat().map((one) => ({ label, words: one })));
}

/** The state of an execution: its status, its health, and what failed permanently or is unfinished. */
export function verdictOf(answer: Monitor) {
  const { status, status_reason, health, slices_failed = 0, stf_failed = 0, slices_unanswered = 0 } = answer;
  const slices = counted(slices_failed, 'slice');
  const failed = status === 'running' ? `${slices} failed` : stayFailed(slices);
  return [
    statusWords(status, status_reason),
    slices_failed === 0 ? [] : failed,
    stf_failed === 0 ? [] : `${counted(stf_failed, 'STF file')} failed`,
    status === 'running' || slices_unanswered === 0 ? [] : `${counted(slices_unanswered, 'slice')} without a result`,
    health === undefined ? [] : `health ${health}${pauseOf(answer)}`,
  ]
    .flat()
    .join(', ');
}

function pauseOf({ paused_by, health, execution_id }: Monitor) {
  if (health !== 'paused') return '';
  if (paused_by === undefined) return ' between two periods, resumes automatically';
  return ` by ${givenBy(paused_by)}; continue with "swf-mcp continue ${execution_id}"`;
}

const givenBy = (command: Monitor['paused_by']) =>
  command && `${claimedName(command.name, command.sent_by)} at ${command.time}${clause(' (', command.reason, ')')}`;

const runOf = (answer: Monitor) =>
  [
    answer.run_id,
    isPrompt(answer) && 'prompt processing',
    phaseWords(answer),
    answer.namespace && `namespace ${answer.namespace}`,
    answer.origin === 'observed' && 'observed',
  ]
    .filter(Boolean)
    .join(', ');

/** The configuration of a run. Our own programs record all of it; for an observed run only a part is known. */
function configurationOf({ configuration, capacity }: Monitor): Words {
  if (configuration === undefined) return undefined;
  const { config, speed, target_worker_count, payload } = configuration;
  const known = [
    speed === undefined ? config : (config ?? usualConfiguration),
    speed && `speed ${speed}`,
    target_worker_count === undefined ? undefined : workersOf(target_worker_count, capacity?.workers),
    payload && `payload ${payload}`,
  ].filter((words) => words !== undefined);
  return known.length === 0 ? undefined : known.join(', ');
}

/** Over a broker, there may be more or fewer workers than the recorder's configuration says. */
const workersOf = (configured: number, heard = configured) =>
  `${counted(configured, 'worker')}${heard === configured ? '' : ` (${heard} now)`}`;

/** When and by whom the execution was started, and how long it has been running or, if its driver is gone, silent. */
function startOf(answer: Monitor) {
  const { start_time, end_time, executed_by = 'other programs', duration_seconds } = answer;
  const lived = duration_seconds === undefined ? undefined : duration(duration_seconds);
  const silent = silentSince(answer);
  return `${start_time} by ${executed_by}${clause(', ended ', end_time)}${silent === undefined ? clause(', ', lived) : `${clause(', ran for ', lived)}, silent since ${silent}`}`;
}

/** When a running execution went silent, if its driver is gone. */
function silentSince({ status, drivers }: Monitor) {
  const driver = drivers?.at(-1);
  return status === 'running' ? (driver?.until ?? driver?.last_heard) : undefined;
}

/** The known facts about the dataset of a run. */
function datasetOf({ dataset }: Monitor): Words {
  if (dataset === undefined) return undefined;
  return `${dataset.name}${clause(' (', dataset.state, ')')}${dataset.files === undefined ? '' : `, ${counted(dataset.files, 'file')}`}${clause(', ', dataset.bytes, ' bytes')}`;
}

/**
 * The unhealthy agents, one by one, and how many others are OK, have exited, or have an unknown status because a
 * clock is off.
 */
function agentsOf({ agents }: Monitor): [string, Words][] {
  const unwell = agents.filter(({ status }) => status !== undefined && status !== 'OK');
  const well = agents.filter(({ status }) => status === 'OK');
  const exited = well.filter(({ state }) => state === 'EXITED').length;
  const unknown = agents.filter(({ status, state }) => status === undefined && state !== undefined).length;
  const counts = Object.entries({ OK: well.length - exited, exited, unknown }).filter(([, count]) => count > 0);
  return [
    ['agents', counts.map(([word, count]) => `${count} ${word}`).join(', ') || undefined],
    ['agent', unwell.map(({ agent_name, state, status }) => [agent_name, state, status].filter(Boolean).join(' '))],
  ];
}

/** The progress of one of our own executions against its plan. */
function plannedCounts(answer: Monitor, progress: NonNullable<Monitor['progress']>): [string, Words][] {
  const { slices_queued = 0, slices_processing = 0, slices_to_redo: lost = 0 } = answer;
  const open = openWords(slices_queued, { count: slices_processing - lost, lost });
  const isOpen = slices_queued + slices_processing > 0;
  return [
    ['STF files', `${answer.stf_count}${clause(' of ', progress.stf_planned)} announced, ${progress.stf_ready} ready`],
    ['TF samples', `${answer.tf_files_received} of ${progress.tf_files_planned ?? progress.tf_files_expected}`],
    [
      'TF slices',
      `${answer.slices_created}${clause(' of ', progress.slices_planned)}: ${isOpen ? `${open}, ` : ''}${endedOf(answer)}${clause(', ', progress.percent, ' % of the run')}`,
    ],
  ];
}

/** The slices of other programs, if they can be seen; otherwise, a note says why they cannot. */
function slicesHeard(answer: Monitor) {
  const { slices_created, slices_sent, slices_unanswered = 0, results_without_slice } = answer;
  if (slices_sent !== undefined)
    return `${slices_sent} sent, ${slices_unanswered} without a result, ${endedOf(answer)}`;
  if (results_without_slice !== undefined) return `${results_without_slice} results for slices not seen on the bus`;
  return slices_created === undefined ? 'unknown' : `${slices_created} registered`;
}

/** The counts for an execution that other programs run, according to their messages. */
function heardCounts(answer: Monitor): [string, Words][] {
  return [
    ['heard', `from ${answer.heard_since} until ${answer.heard_until}, dialect ${answer.dialect ?? 'unknown'}`],
    ['STF files', `${answer.stf_count} announced`],
    ...(answer.sites === undefined
      ? ([
          ['TF samples', `${answer.tf_files_received} announced${clause(', ', answer.tf_files_sliced, ' sliced')}`],
          ['TF slices', slicesHeard(answer)],
        ] satisfies [string, Words][])
      : ([['site', answer.sites.map(({ site = 'PanDA', ...work }) => `${site}: ${siteWords(work)}`)]] satisfies [
          string,
          Words,
        ][])),
  ];
}

/** The slices that have a result. While the execution is running, a failed slice may be retried. */
function endedOf({ status, progress, slices_completed = 0, slices_failed = 0, slices_retried = 0 }: Monitor) {
  const final = progress && progress.slices_final - slices_completed;
  return [
    `${slices_completed} completed`,
    `${slices_failed} failed${status === 'running' && slices_failed > 0 ? clause(' (', final, ' permanently)') : ''}`,
    ...(slices_retried === 0 ? [] : [`${slices_retried} retried`]),
  ].join(', ');
}

/** How many characters of a cause, and of an error, to compare with findings, whose sentences may omit the rest. */
const comparedCause = 60;
const comparedError = 30;

/**
 * The causes of failed attempts at slices, with counts, since even many failures usually have few causes.
 * Leaves out causes that a finding names.
 */
const causesOf = (answer: Monitor) =>
  (answer.causes ?? [])
    // A finding's sentence may lack the words that all causes share.
    .filter(({ cause }) => !isNamed(answer, ownWords(cause), comparedCause))
    .map(({ cause, attempts, example }) => `${attempts} × ${cause}${clause(' (for example: ', example, ')')}`);

/** The last errors that no finding repeats. */
const errorsOf = (answer: Monitor) =>
  answer.errors
    // The text before an error's code may vary.
    .filter(({ error }) => !isNamed(answer, /[A-Z]{3,}_[A-Z_]+: .*/.exec(error)?.[0] ?? error, comparedError))
    .map(({ time, source, error, more }) => `${time} ${source}: ${error}${clause(' (and ', more, ' like it)')}`);

/** Whether a finding contains the first words of a text; the finding may shorten paths differently. */
const isNamed = ({ findings }: Monitor, text: string, compared: number) =>
  findings.some(({ sentence }) => sentence.includes(shortPaths(text).slice(0, compared)));

/** The slice that a worker has held longest. */
function oldestOf({ oldest_in_hand, slices_overdue = 0 }: Monitor): Words {
  if (oldest_in_hand === undefined) return undefined;
  const { slice_filename: slice, assigned_worker, seconds, usual_seconds } = oldest_in_hand;
  const usual =
    usual_seconds === undefined ? 'the usual duration is not known yet' : `usual ${duration(usual_seconds)}`;
  const overdue = slices_overdue === 0 ? '' : `, ${slices_overdue} overdue`;
  return `${slice}, held for ${wholeDuration(seconds)} by ${assigned_worker} (${usual}${overdue})`;
}

const driversOf = ({ drivers = [], drivers_omitted }: Monitor) => [
  ...(drivers_omitted === undefined ? [] : [counted(drivers_omitted, 'earlier driver')]),
  ...drivers.map(
    ({ pid, host, by, since, until, last_heard, epoch, ended, reason }) =>
      `number ${epoch}: process ${pid ?? 'unknown'} on ${host}, started by ${by}, from ${since} to ${until ?? last_heard ?? 'now'}${clause(', ', ended)}${clause(' (', reason, ')')}`,
  ),
];

const qualityOf = ({ quality }: Monitor) =>
  quality && `${quality.value}: ${quality.reason} (${quality.author}, ${quality.at})`;

/** People's notes, newest first, and a note on what the answer leaves out. */
const notesOf = ({ notes = [], note }: Monitor) => [
  ...notes.map(({ at, author, about, text }) => `${at} ${author}${clause(', ', about)}: ${text}`),
  ...(note === undefined ? [] : [note]),
];

/** The time left, if known. */
function leftOf({ progress }: Monitor): Words {
  const { seconds_left, at_least, at_most } = progress ?? {};
  if (seconds_left === undefined || at_least === undefined) return undefined;
  const range =
    at_most === undefined
      ? 'or more: it is not known how long the overdue slices will take'
      : `between ${wholeDuration(at_least)} and ${wholeDuration(at_most)}`;
  return `about ${wholeDuration(seconds_left)}, ${range}`;
}
