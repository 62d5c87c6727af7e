import { duration, roundDuration } from '../../lib/duration.ts';
import type { Monitor } from '../shared/answers.ts';
import { count, durationIfKnown, percent, time } from '../shared/format.ts';
import { failedWords, silentSinceOf } from '../shared/states.ts';
import { countsNow, timeOfMoment, type useShown } from '../state/moment.ts';
import { thisMoment } from '../transport/call.ts';
import { Bar, type Fact, FactList, PromptButton, promptOf } from './card.tsx';
import { Key, StatePill } from './pill.tsx';
import { Sites } from './sites.tsx';

interface Props extends Pick<ReturnType<typeof useShown>, 'monitor' | 'verdict' | 'counts' | 'isNow' | 'isAwaited'> {
  /** The earlier moment that the monitor's answer is about. */
  moment?: string | undefined;
  slider: preact.ComponentChildren;
}

/** The values that the parts of the header show. */
interface Shown extends Props {
  /** The CSS class for facts that are not from the same time as the counts. */
  dimmed: string;
}

/** An execution in a few numbers. Facts from a different time than the numbers are dimmed. */
export function Header(props: Props) {
  const { monitor, counts, isNow, isAwaited, slider } = props;
  const { execution_id } = monitor;
  // Until the answer for another moment arrives, the current state is shown.
  const { failed, isExhausted } = isNow ? countsNow(monitor) : counts;
  const silent = silentSinceOf(monitor);
  const dimmed = isNow ? 'dimmed' : '';
  const shown = { ...props, dimmed };
  return (
    <section class={`card header ${isAwaited && !isNow ? 'awaited' : ''}`}>
      <div class="title">
        <h1>{execution_id}</h1>
        <span class={dimmed}>
          <StatePill {...monitor} isSilent={silent !== undefined} {...{ failed, isExhausted }} />
        </span>
        <PromptButton text={promptAbout(monitor)} />
      </div>
      <Facts {...shown} />
      {monitor.sites === undefined ? <Slices {...shown} /> : <Sites monitor={monitor} />}
      {slider}
    </section>
  );
}

/** The progress of the slices. */
function Slices(shown: Shown) {
  const { monitor, counts, isNow } = shown;
  const { status, progress } = monitor;
  const { created, completed, failed, processing, queued, lost } = counts;
  // Counts from an earlier moment are shown with the current status until the status at that moment arrives.
  const now = { isInHandKnown: monitor.slices_processing !== undefined, isOver: status !== 'running' && !isNow };
  return (
    <>
      <Figures {...shown} />
      <Bar
        total={Math.max(progress?.slices_planned ?? 0, created)}
        parts={{ completed, failed, processing, queued, lost }}
      />
      <p class="legend">
        {(['completed', 'processing', 'queued', 'lost', 'failed'] as const).map(
          (state) =>
            isShown(counts[state], state, now) && (
              <Key key={state} state={state}>
                <strong>{count(counts[state])}</strong> {wordOf(state, now)}
              </Key>
            ),
        )}
      </p>
    </>
  );
}

/** How many findings to include, with their next calls, in a prompt. */
const promptedFindings = 3;

/** A prompt about an execution and its worst findings. */
function promptAbout({ execution_id, findings }: Monitor) {
  const worst = findings.slice(0, promptedFindings);
  const codes = worst.length === 0 ? '' : ` It reports ${worst.map(({ code }) => code).join(', ')}.`;
  return promptOf(`How is execution ${execution_id} doing, and is anything wrong?${codes}`, [
    { tool: 'get_workflow_monitor', arguments: { execution_id } },
    ...(worst.length === 0
      ? [{ tool: 'get_execution_timeline', arguments: { execution_id } }]
      : worst.map(({ next }) => next)),
  ]);
}

interface Counted {
  /** Whether any program reports which slices are in progress. */
  isInHandKnown: boolean;
  /** Whether the counts are final: the execution has ended. */
  isOver: boolean;
}

const isShown = (n: number, state: string, { isInHandKnown, isOver }: Counted) =>
  n > 0 ||
  state === 'completed' ||
  state === 'failed' ||
  (!isOver && state !== 'lost' && (isInHandKnown || state !== 'processing'));

function wordOf(state: string, { isInHandKnown, isOver }: Counted) {
  if (state === 'lost') return 'to be redone';
  if (state !== 'queued') return state;
  if (!isInHandKnown) return 'without a result';
  return isOver ? 'unfinished' : state;
}

function Figures({ monitor, counts, isNow, dimmed }: Shown) {
  const { progress } = monitor;
  const planned = progress?.slices_planned;
  const withResult = counts.completed + counts.failed;
  // A failed slice may be retried.
  const over = isNow ? withResult : (progress?.slices_final ?? withResult);
  return (
    <div class="figures">
      <Figure
        label="slices finished"
        note={ofAll(planned, progress ? 'no planned end' : `of ${count(counts.created)} sent`)}
      >
        {count(over)}
      </Figure>
      {planned !== undefined && <Figure label="progress">{percent(over, planned)}</Figure>}
      <Figure
        label={progress ? 'STF files ready' : 'STF files announced'}
        note={ofAll(progress?.stf_planned, progress ? 'no planned end' : '')}
        dimmed={dimmed}
      >
        {count(progress?.stf_ready ?? monitor.stf_count)}
      </Figure>
      <Figure label={failedWords(counts.isExhausted)} bad={counts.failed > 0}>
        {count(counts.failed)}
      </Figure>
      <TimeLeft monitor={monitor} dimmed={dimmed} />
    </div>
  );
}

/** The expected total in words, or `otherwise` if it is unknown. */
const ofAll = (n: number | undefined, otherwise: string) => (n === undefined ? otherwise : `of ${count(n)} planned`);

/**
 * Why an execution has its status. Leaves out reasons that are shown elsewhere: a person's reason is next to
 * the person's name, and the reason for an unknown status is in the pill.
 */
const reasonOf = ({ status, status_reason, stopped_by }: Monitor) =>
  status === 'unknown' || stopped_by?.reason === status_reason ? undefined : status_reason;

function Facts({ monitor, verdict, moment, dimmed }: Shown) {
  const { status, phase, end_time } = monitor;
  const { target_worker_count, payload, speed } = monitor.configuration ?? {};
  const silent = silentSinceOf(monitor);
  const facts: Fact[] = [
    ['run', monitor.run_number],
    ['namespace', monitor.namespace],
    ['heard until', monitor.heard_until && time(monitor.heard_until)],
    ['dialect', monitor.dialect],
    ['by', monitor.executed_by],
    ['start', time(monitor.start_time)],
    ['workers', monitor.capacity?.workers ?? target_worker_count],
    // The digest is left out: only people who compare runs need to distinguish payloads with the same name.
    ['payload', payload?.replace(/ (?:sha256:\S+|\(\w+\))$/, '')],
    ['speed', speed],
  ];
  // These facts have a line of their own, since they appear and disappear.
  const changing: Fact[] = [
    ['phase', status !== 'running' || phase === 'none' ? undefined : phase === 'completed' ? 'the DAQ is done' : phase],
    [
      silent === undefined ? 'running for' : 'ran for',
      status === 'running' ? durationIfKnown(monitor.duration_seconds) : undefined,
    ],
    ['end', end_time && time(end_time)],
    ['silent for', silenceWords(silent, timeOfMoment(moment) || thisMoment())],
    ['data', verdict],
    ['quality', monitor.quality?.value],
    ['because', reasonOf(monitor)],
    ['paused by', commandWords(monitor.paused_by)],
    ['ended by', commandWords(monitor.stopped_by)],
  ];
  return (
    <>
      <FactList facts={facts} shade={dimmed} />
      <FactList facts={changing} shade={dimmed} />
    </>
  );
}

const silenceWords = (since: string | undefined, now: number) =>
  since && `${duration(Math.max(0, now - Date.parse(since)) / 1000)}, since ${time(since)}`;

const commandWords = (by: Monitor['paused_by']) =>
  by && (by.reason === undefined ? by.name : `${by.name} (${by.reason})`);

/**
 * The time left, shown where the total time will appear later, so that nothing moves at the end.
 */
function TimeLeft({ monitor, dimmed }: { monitor: Monitor; dimmed: string }) {
  if (monitor.status !== 'running')
    return (
      <Figure label="took" dimmed={dimmed}>
        {durationIfKnown(monitor.duration_seconds)}
      </Figure>
    );
  const { seconds_left, at_least, at_most } = monitor.progress ?? {};
  const range = at_most === undefined ? 'or longer' : `${roundDuration(at_least ?? 0)} to ${roundDuration(at_most)}`;
  return (
    <Figure label="time left" note={seconds_left === undefined ? '' : range} dimmed={dimmed}>
      {seconds_left === undefined ? 'not known' : roundDuration(seconds_left)}
    </Figure>
  );
}

interface FigureProps {
  label: string;
  /** Text whose width may change, placed next to the label so that other figures do not move. */
  note?: string;
  children: preact.ComponentChildren;
  dimmed?: string;
  bad?: boolean;
}

const Figure = ({ label, note, children, dimmed = '', bad = false }: FigureProps) => (
  <div class={`figure ${dimmed} ${bad ? 'bad' : ''}`}>
    <div class="label">
      {label} {note}
    </div>
    <div class="value">{children}</div>
  </div>
);
