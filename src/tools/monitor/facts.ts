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

/** The text of a fact, or of several with one label; undefined if nothing is known. */
type Words = string | readonly string[] | undefined;

/**
 * The monitor's answer as facts, in the order of its explanations: `status`, reports and the summary of a run
 * show them, each in its own form. What people must see at once is in `verdictOf`.
 */
export function factsOf(answer: Monitor & { as_of?: string }): Fact[] {
  const facts: [label: string, words: Words][] = [
    ['run', runOf(answer)],
    ['started as', configurationOf(answer)],
    ['as of', answer.as_of && `${answer.as_of}: everything below is as it was then`],
    ['started', startOf(answer)],
    ['messages', `${answer.message_count}${clause(', the store was last written ', answer.data_as_of)}`],
    ['dataset', datasetOf(answer)],
    ...agentsOf(answer),
    ...(answer.progress === undefined ? heardCounts(answer) : plannedCounts(answer, answer.progress)),
    ['failed', causesOf(answer)],
    ['error', errorsOf(answer)],
    ['oldest', oldestOf(answer)],
    ['driver', driversOf(answer)],
    ['paused by', answer.health === 'paused' ? undefined : givenBy(answer.paused_by)],
    // A pending stop has a finding instead.
    ['ended by', answer.stopped_by?.pending === true ? undefined : givenBy(answer.stopped_by)],
    ...answer.findings.map(({ severity, code, sentence }): [string, Words] => [severity, `${code}: ${sentence}`]),
    ['quality', qualityOf(answer)],
    ['note', notesOf(answer)],
    ['time left', leftOf(answer)],
  ];
  return facts.flatMap(([label, words = []]) => [words].flat().map((one) => ({ label, words: one })));
}

/** The state of an execution: its status, what failed permanently or is unfinished, and its health. */
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

/** Our own programs record all of these; of an observed run only some are known. */
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

/** Over a broker there may be more or fewer workers than a recorder is configured to have. */
const workersOf = (configured: number, heard = configured) =>
  `${counted(configured, 'worker')}${heard === configured ? '' : ` (${heard} now)`}`;

/** When and by whom it was started, and how long it has run or, without a driver, been silent. */
function startOf(answer: Monitor) {
  const { start_time, end_time, executed_by = 'other programs', duration_seconds } = answer;
  const lived = duration_seconds === undefined ? undefined : duration(duration_seconds);
  const silent = silentSince(answer);
  return `${start_time} by ${executed_by}${clause(', ended ', end_time)}${silent === undefined ? clause(', ', lived) : `${clause(', ran for ', lived)}, silent since ${silent}`}`;
}

/** Since when a running execution has been silent, if its driver is gone. */
function silentSince({ status, drivers }: Monitor) {
  const driver = drivers?.at(-1);
  return status === 'running' ? (driver?.until ?? driver?.last_heard) : undefined;
}

/** What is known about the dataset of a run. */
function datasetOf({ dataset }: Monitor): Words {
  if (dataset === undefined) return undefined;
  const { name, state, files, bytes } = dataset;
  return `${name}${clause(' (', state, ')')}${files === undefined ? '' : `, ${counted(files, 'file')}`}${clause(', ', bytes, ' bytes')}`;
}

/** The unhealthy agents, one by one, and how many others are OK, have exited, or are ahead of the clock. */
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

/** The progress of an own execution against its plan. */
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

/** The slices of other programs, as far as they are seen; a note says why they are not. */
function slicesHeard(answer: Monitor) {
  const { slices_created, slices_sent, slices_unanswered = 0, results_without_slice } = answer;
  if (slices_sent !== undefined)
    return `${slices_sent} sent, ${slices_unanswered} without a result, ${endedOf(answer)}`;
  if (results_without_slice !== undefined) return `${results_without_slice} results of slices that are not on the bus`;
  return slices_created === undefined ? 'unknown' : `${slices_created} registered`;
}

/** The counts of an execution of other programs, as heard. */
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

/** The slices that have a result. While the execution runs, a failed one may be retried. */
function endedOf({ status, progress, slices_completed = 0, slices_failed = 0, slices_retried = 0 }: Monitor) {
  const final = progress === undefined ? undefined : progress.slices_final - slices_completed;
  return [
    `${slices_completed} completed`,
    `${slices_failed} failed${status === 'running' && slices_failed > 0 ? clause(' (', final, ' permanently)') : ''}`,
    ...(slices_retried === 0 ? [] : [`${slices_retried} retried`]),
  ].join(', ');
}

/** Characters of a cause, and of an error, that show whether a finding has it: it may cut the rest. */
const comparedCause = 60;
const comparedError = 30;

/** The causes of failed attempts at slices that no finding names, with counts: many failures have few causes. */
const causesOf = (answer: Monitor) =>
  (answer.causes ?? [])
    // A sentence may lack the words that all causes share.
    .filter(({ cause }) => !isNamed(answer, ownWords(cause), comparedCause))
    .map(({ cause, attempts, example }) => `${attempts} × ${cause}${clause(' (such as: ', example, ')')}`);

/** The last errors that no finding repeats. */
const errorsOf = (answer: Monitor) =>
  answer.errors
    // The same error may have other words before its code.
    .filter(({ error }) => !isNamed(answer, /[A-Z]{3,}_[A-Z_]+: .*/.exec(error)?.[0] ?? error, comparedError))
    .map(({ time, source, error, more }) => `${time} ${source}: ${error}${clause(' (and ', more, ' like it)')}`);

/** Whether a finding has the first words of a text, which may have other paths there. */
const isNamed = ({ findings }: Monitor, text: string, compared: number) =>
  findings.some(({ sentence }) => sentence.includes(shortPaths(text).slice(0, compared)));

/** The slice that has been in hand longest. */
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

/** The notes of people, the last note first, and what the answer leaves out. */
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
      ? 'or more: it is not known how long the overdue slices take'
      : `between ${wholeDuration(at_least)} and ${wholeDuration(at_most)}`;
  return `about ${wholeDuration(seconds_left)}, ${range}`;
}
