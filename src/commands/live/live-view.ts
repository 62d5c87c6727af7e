import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';
import sliceAnsi from 'slice-ansi';

import type { LastMessage } from '../../db/reports/landmarks.ts';
import { beforeCause, shortened } from '../../domain/causes.ts';
import type { Health } from '../../domain/states.ts';
import { counted } from '../../lib/counted.ts';
import { duration, wholeDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { clause, shownTime, timeOfDay, withPlainTimes } from '../../lib/words.ts';
import { phaseWords, stayFailed } from '../../tools/monitor/words.ts';
import type { Paint, Shade } from '../shared/palette.ts';
import type { Rates, Snapshot } from './snapshot.ts';
import { fileLines, labelled, labelWidth, type Stage, stageBar } from './stage-bar.ts';

interface ViewOptions {
  /** The terminal's width. */
  columns: number;
  /** How many lines fit. */
  rows?: number;
  paint: Paint;
  /** The `--db` option, repeated in commands for the user to type next. */
  storeOption?: string;
}

const shadeOfHealth: Readonly<Record<Health, Shade>> = {
  progressing: 'processing',
  slow: 'warning',
  paused: 'idle',
  draining: 'processing',
  stalled: 'failed',
  finished: 'completed',
  failed: 'failed',
};

/**
 * An execution in a terminal: what it is, a bar for each stage, the workers, the failures and the last event.
 * All lines except commands to copy fit in `columns`; words or glyphs say everything that colours say.
 */
export function renderView(snapshot: Snapshot, rates: Rates, options: ViewOptions) {
  const width = Math.max(10, options.columns - 1);
  const lines = [
    ...titleLines(snapshot, options, width),
    '',
    ...(snapshot.sites === undefined
      ? barLines(snapshot, rates, { paint: options.paint, width })
      : fileLines(snapshot, snapshot.sites)),
    ...workLines(snapshot, width, options.rows),
  ];
  // Lines of advice are not cut: a command that was cut could not be copied.
  return [...lines.map((line) => cut(line, width)), ...advice(snapshot, options.storeOption ?? '', width)];
}

function titleLines({ execution, health, speed, elapsed, simulated }: Snapshot, { paint }: ViewOptions, width: number) {
  const { execution_id, run_number, status, status_reason, namespace } = execution;
  const ended = status === 'running' ? '' : status === 'unknown' ? withPlainTimes(status_reason ?? status) : status;
  const words = [
    ended,
    phaseWords(execution),
    simulated === undefined ? '' : `simulated ${wholeDuration(simulated)}`,
    clause('speed ', speed),
    namespace === '' ? '' : `namespace ${namespace}`,
  ].filter((word) => word !== '');
  const state = health === undefined ? [] : [paint(shadeOfHealth[health], ` ${health} `)];
  return [
    spread(
      run_number === null ? execution_id : `${execution_id}  run ${run_number}`,
      elapsed === undefined ? '' : wholeDuration(elapsed),
      width,
    ),
    ...filled([...state, ...words.map((word, at) => (at < words.length - 1 ? `${word},` : word))], width, ' '),
  ];
}

function barLines(snapshot: Snapshot, rates: Rates, view: { paint: Paint; width: number }) {
  const { execution, health = 'finished', progress, whyUncounted } = snapshot;
  const bar = (stage: Omit<Stage, 'health'>) => stageBar({ ...stage, health }, view);
  const ofOneState = (label: string, unit: string, rate: Stage['rate'], done: number, total: Stage['total']) =>
    bar({ label, segments: [{ shade: 'completed', n: done }], done, total, rate, unit });
  return [
    ofOneState('STF files', 'STF/s', rates.stfs, progress.stf_ready, progress.stf_planned),
    ofOneState('TF samples', 'samples/s', rates.samples, execution.tf_files_received, progress.tf_files_planned),
    ...(whyUncounted === undefined
      ? [bar(sliceStage(snapshot, rates)), ...legend(snapshot, view)]
      : [labelled('TF slices', `unknown: ${whyUncounted}`)]),
  ];
}

function sliceStage({ execution, progress, secondsLeft, isOpenEnded, inHand }: Snapshot, rates: Rates) {
  const planned = progress.slices_planned ?? execution.slices_created;
  return {
    label: 'TF slices',
    segments: [
      { shade: 'completed', n: execution.slices_completed },
      { shade: 'failed', n: execution.slices_failed },
      { shade: 'processing', n: inHand?.count ?? 0 },
      { shade: 'queued', n: execution.slices_queued + (inHand?.lost ?? 0) },
    ],
    done: progress.slices_final,
    total: planned === 0 ? undefined : planned,
    rate: rates.slices,
    unit: 'slices/s',
    // The estimate accounts for slices that are still to come and workers that finish at the same time; the
    // rate does not.
    secondsLeft,
    isOpenEnded,
    isEndless: progress.slices_planned === undefined && execution.phase !== 'completed',
  } satisfies Omit<Stage, 'health'>;
}

/** The number of slices in each state. */
function legend({ execution, inHand }: Snapshot, { paint, width }: { paint: Paint; width: number }) {
  const states = [
    { shade: 'completed', glyph: '#', n: execution.slices_completed, word: 'completed' },
    ...(inHand === undefined
      ? []
      : [{ shade: 'processing', glyph: '=', n: inHand.count, word: 'processing' } as const]),
    { shade: 'queued', glyph: '-', n: execution.slices_queued, word: inHand === undefined ? 'unanswered' : 'queued' },
    { shade: 'failed', glyph: '!', n: execution.slices_failed, word: 'failed' },
  ] as const;
  const whole = states.map(({ shade, glyph, n, word }) => `${paint(shade, glyph)} ${n} ${word}`);
  const lost = inHand === undefined || inHand.lost === 0 ? [] : [`${inHand.lost} lost`];
  const indent = ' '.repeat(width < 3 * labelWidth ? 0 : labelWidth);
  return filled([...whole, ...lost], width - indent.length, '  ').map((line) => indent + line);
}

/** Puts parts side by side, on as many lines as they need. */
function filled(parts: readonly string[], width: number, gap: string) {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = [...lines.slice(-1), part].join(gap);
    if (stringWidth(longer) > width) lines.push(part);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

function workLines(snapshot: Snapshot, width: number, rows = 0) {
  const { execution, slots, retries, exhausted, last, error, inHand, whyUncounted } = snapshot;
  // After the execution has ended, a slice may still be recorded as in progress, but nothing is processing it.
  const busy = execution.status === 'running' ? (inHand?.count ?? 0) : 0;
  const waiting = execution.slices_failed - exhausted;
  const lastError =
    error === undefined
      ? []
      : wrapped('last error', `${timeOfDay(error.timestamp)} ${printable(causeFirst(error.message))}`, {
          width,
          // The view's other lines number about a dozen.
          most: Math.max(2, rows - 14),
        });
  const lastEvent = last === undefined ? 'none' : `${timeOfDay(last.sent_at)} ${eventOf(last)}`;
  const two = { width, most: 2 };
  return [
    // The number of other programs' workers is unknown.
    ...(slots === undefined ? [] : [labelled('workers', `${busy} of ${slots} busy`)]),
    ...oldestLine(snapshot).flatMap(([label = '', words = '']) => wrapped(label, words, two)),
    ...(whyUncounted === undefined ? [labelled('failures', failures(exhausted, waiting, retries))] : []),
    ...lastError,
    ...wrapped('last event', lastEvent, two),
  ];
}

/** The slice that has been in hand longest: no other line shows how long work has been unfinished. */
function oldestLine({ inHand, pace }: Snapshot) {
  if (inHand?.oldest === undefined) return [];
  const { overdue = 0 } = inHand;
  const { seconds, slice_filename } = inHand.oldest;
  const usual_seconds = pace?.usual_seconds;
  const usual = usual_seconds === undefined ? 'usual time not known yet' : `usual ${duration(usual_seconds)}`;
  const words = `${wholeDuration(seconds)}, ${usual}${overdue === 0 ? '' : `, ${overdue} overdue`}`;
  return [[`${overdue === 0 ? '' : '! '}oldest`, `${words}: ${printable(slice_filename)}`]];
}

function failures(exhausted: number, waiting: number, retries: number) {
  if (exhausted === 0 && retries === 0 && waiting === 0) return 'none';
  return `${stayFailed(exhausted)}, ${counted(retries, 'retry', 'retries')}${waiting === 0 ? '' : `, ${waiting} to retry`}`;
}

/** A message as described by its id (type and subject) and, if it had no effect, the reason. */
function eventOf({ message_id, effect_code, effect_reason }: LastMessage) {
  const [first = '', ...parts] = message_id.split('/');
  const [type = '', about = '', attempt = '1'] = first === 'run_workflow' ? [first] : parts;
  // A command's id means nothing to a person, so it is left out.
  const named = type.endsWith('_workflow') ? [type] : [type, about];
  const again = Number(attempt) > 1 ? [`attempt ${attempt}`] : [];
  const refused =
    effect_reason === null ? [] : [`${effect_code === 'REFUSED' ? 'refused' : 'no effect'}: ${effect_reason}`];
  return printable([...named, ...again, ...refused].join(' ').trimEnd());
}

/** An error with its cause first, since the words around the cause are always the same. */
function causeFirst(message: string) {
  const [before = '', slice] = beforeCause.exec(message) ?? [];
  if (slice === undefined) return message;
  return `${shortened(message.slice(before.length))} (${slice})`;
}

/**
 * A text next to its label, wrapped between words; if the text is longer than `most` lines, the last line is
 * not wrapped.
 */
function wrapped(label: string, text: string, { width, most }: { width: number; most: number }) {
  const lines = wrapAnsi(text, Math.max(8, width - labelWidth), { hard: true }).split('\n');
  const shown = [
    ...lines.slice(0, most - 1),
    ...lines.slice(most - 1, most).map(() => lines.slice(most - 1).join(' ')),
  ];
  return shown.map((line, at) => labelled(at === 0 ? label : '', line));
}

const spread = (left: string, right: string, width: number) =>
  `${left}${' '.repeat(Math.max(1, width - left.length - right.length))}${right}`;

/** Cuts a line that is too long, and shows that it was cut. */
export const cut = (line: string, width: number) =>
  stringWidth(line) > width ? `${sliceAnsi(line, 0, width - 1)}…` : line;

/** The next step, if a person has to take one. A command to copy has a line to itself. */
function advice(snapshot: Snapshot, storeOption: string, width: number) {
  const { health, execution } = snapshot;
  const next = (name: string) => `  swf-mcp${storeOption} ${name} ${execution.execution_id}`;
  const [words, ...command] =
    health === 'stalled' ? stalledAdvice(snapshot, next) : health === 'paused' ? pausedAdvice(snapshot, next) : [];
  return words === undefined ? [] : ['', ...wrapAnsi(words, width).split('\n'), ...command];
}

function stalledAdvice({ driver, inHand }: Snapshot, next: (name: string) => string) {
  if (inHand === undefined) return ['nothing shows that it is still running; check with', next('status')];
  if (driver?.isAlive() !== true) return ['its process is gone; resume the execution with', next('resume')];
  if (driver.isSilent())
    return [
      `its process ${driver.pid} on ${driver.hostname} has not been heard from for a while; check whether it is suspended`,
    ];
  const what =
    (inHand.overdue ?? 0) > 0
      ? 'no slice has finished for a while; check the payload of the oldest slice, and see'
      : 'a stage has work but is idle; see';
  return [what, next('status')];
}

function pausedAdvice({ pausedBy, execution }: Snapshot, next: (name: string) => string) {
  if (pausedBy === undefined)
    return execution.phase === 'standby' ? ['standby between two physics periods: it resumes automatically'] : [];
  const { name, time, reason } = pausedBy;
  return [
    `${printable(name)} paused it at ${shownTime(time)}${clause(' (', reason && printable(reason), ')')}; continue with`,
    next('continue'),
  ];
}
