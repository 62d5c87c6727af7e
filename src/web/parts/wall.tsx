import { useEffect, useState } from 'preact/hooks';

import { roundDuration, wholeDuration } from '../../lib/duration.ts';
import { clause, headOf } from '../../lib/words.ts';
import { worstFirst, worstOf } from '../../monitoring/worst-first.ts';
import type { ExecutionRow, Monitor, Page, Timeline } from '../shared/answers.ts';
import { age, amount, count, inZone, percent, time } from '../shared/format.ts';
import { noFindingWords, silentSinceOf, wallState } from '../shared/states.ts';
import { useMonitor } from '../state/asking.ts';
import { useNow, usePoll } from '../state/hooks.ts';
import { countsNow } from '../state/moment.ts';
import { executionHash } from '../state/route.ts';
import { noAnswer, showInTab } from '../state/tab.ts';
import { world } from '../transport/call.ts';
import { FaultBanner, Skeleton } from './banner.tsx';
import { Bar } from './card.tsx';
import { Pill, StatePill } from './pill.tsx';

/** How often the wall polls, in milliseconds. */
const every = 2000;

/** Maximum number of running executions on a wall, and of ended ones below them. */
const [maxCards, maxEnded] = [6, 6];

/** With more cards than this, there is no room for the course of each execution. */
const maxRoomy = 3;

/**
 * The page for a wall screen: a card for each running execution, readable from afar, and small cards for the
 * executions that ended last.
 */
export function Wall() {
  const now = useNow();
  const { answer, fault, at } = useLists();
  const { running, ended, hidden } = answer ?? { running: [], ended: [], hidden: 0 };
  const [seen, setSeen] = useState<Readonly<Record<string, Monitor>>>({});
  const monitors = running.flatMap(({ execution_id }) => seen[execution_id] ?? []);
  useWallInTab(monitors, fault !== undefined);
  // If nothing is running, the wall shows what ran last.
  const shown = running.length > 0 ? running : ended.slice(0, 1);
  return (
    <section class="wall">
      <link rel="stylesheet" href="wall.css" />
      <h1 class="sr">Running executions</h1>
      <p class="clock" aria-label="The time">
        {time(now)}
      </p>
      <FaultBanner fault={fault} at={at} />
      {answer === undefined && fault === undefined && <Skeleton />}
      {answer !== undefined && running.length === 0 && <Rest last={ended[0]} now={now} />}
      <div class={`cards of-${shown.length}`} style={{ '--columns': columnsOf(shown.length) }}>
        {worstFirst(shown, ({ execution_id }) => seen[execution_id]).map(({ execution_id }) => (
          <WallCard
            key={execution_id}
            id={execution_id}
            hasRoom={hasRoomFor(shown.length)}
            onSeen={(monitor) => setSeen((before) => ({ ...before, [execution_id]: monitor }))}
          />
        ))}
      </div>
      {hidden > 0 && <p>and {count(hidden)} more running</p>}
      <Ended rows={ended.filter((row) => !shown.includes(row))} />
    </section>
  );
}

/**
 * The running executions that fit on the wall, the number of other running ones, and, of the twenty newest
 * executions, those that ended last.
 */
function useLists() {
  return usePoll(
    async () => {
      const ask = (args: object): Promise<Page<ExecutionRow>> => world.call('list_workflow_executions', args);
      const { items, total_count } = await ask({ status: 'running', limit: maxCards });
      const newest = await ask({ limit: 20 });
      return {
        running: items,
        hidden: total_count - items.length,
        ended: newest.items
          .filter(({ status }) => status !== 'running')
          .toSorted((a, b) => Date.parse(b.end_time ?? b.start_time) - Date.parse(a.end_time ?? a.start_time))
          .slice(0, maxEnded),
      };
    },
    { key: 'wall', every },
  );
}

const Rest = ({ last, now }: { last: ExecutionRow | undefined; now: number }) => (
  <p class="rest">
    {last?.status === 'unknown' ? 'Nothing is known to be running.' : 'Nothing is running.'}{' '}
    {last?.end_time !== undefined && `This execution ended ${age((now - Date.parse(last.end_time)) / 1000)}:`}
  </p>
);

/** Whether cards have room for a chart of their execution's progress: not on a phone, and not if there are many cards. */
const hasRoomFor = (cards: number) => cards <= maxRoomy && matchMedia('(min-width: 1000px)').matches;

/** The number of cards per row. With four cards or more, there are two rows. */
const columnsOf = (cards: number) => Math.max(1, cards < 4 ? cards : Math.ceil(cards / 2));

/** Shows, in the browser tab, the worst health of all running executions. */
function useWallInTab(monitors: readonly Monitor[], isAway: boolean) {
  const known = worstOf(monitors.flatMap((one) => one.health ?? []));
  const health = known ?? (monitors.length === 0 ? 'nothing is running' : 'unknown');
  const hasFinding = monitors.some(({ findings }) => findings.some(({ severity }) => severity !== 'info'));
  const name = monitors.length === 0 ? 'wall' : `${monitors.length} running`;
  useEffect(() => showInTab(name, isAway ? noAnswer : { health, hasFinding }), [health, hasFinding, isAway, name]);
}

function WallCard({ id, hasRoom, onSeen }: { id: string; hasRoom: boolean; onSeen: (monitor: Monitor) => void }) {
  const { answer: monitor, fault, at } = useMonitor(id, every);
  useEffect(() => {
    if (monitor !== undefined) onSeen(monitor);
  }, [monitor]);
  if (monitor === undefined)
    return (
      <article class="card">
        <h2>{id}</h2>
        {fault === undefined ? <Skeleton /> : <FaultBanner fault={fault} />}
      </article>
    );
  const { findings, namespace } = monitor;
  const { completed, failed } = countsNow(monitor);
  const over = completed + failed;
  const [worst] = findings;
  const { state, words } = wallState(monitor);
  return (
    <article class={`card ${worst === undefined ? '' : worst.severity}`}>
      <h2>
        <a href={executionHash(id)}>{id}</a>
      </h2>
      <FaultBanner fault={fault} at={at} />
      <Pill state={state}>{words}</Pill>
      <p class="big">
        {doneWords(monitor, over)}
        <small>{whatWords(monitor, over)}</small>
        <small>{factsOf(monitor, failed).join(', ')}</small>
      </p>
      <Progress monitor={monitor} />
      <p class="sentence">
        {worst === undefined
          ? noFindingWords(monitor) + clause(' (namespace ', namespace, ')')
          : inZone(headOf(worst.sentence))}
      </p>
      <p class="quiet other">{findings.length > 1 && `and ${amount(findings.length - 1, 'more finding')}`}</p>
      {hasRoom && monitor.sites === undefined && <Course id={id} />}
    </article>
  );
}

/** The other figures on a card. Their line takes up space even if it is empty. */
function factsOf(monitor: Monitor, failed: number) {
  const left = monitor.progress?.seconds_left;
  const silent = silentSinceOf(monitor);
  return [
    failed > 0 ? `${count(failed)} failed` : '',
    left === undefined ? '' : `about ${wholeDuration(left)} left`,
    silent === undefined ? '' : `silent for ${wholeDuration(Math.max(0, Date.now() - Date.parse(silent)) / 1000)}`,
  ].filter((words) => words !== '');
}

function Ended({ rows }: { rows: readonly ExecutionRow[] }) {
  return (
    <ul class="ended">
      {rows.map(({ execution_id, end_time, slices_failed = 0, stf_failed = 0, ...row }) => (
        <li key={execution_id}>
          <a href={executionHash(execution_id)}>{execution_id}</a>
          <small>
            <StatePill {...row} failed={slices_failed + stf_failed} /> {end_time === undefined ? '' : time(end_time)}
          </small>
        </li>
      ))}
    </ul>
  );
}

/** How often the picture is refreshed, in milliseconds, and how many bins it has. */
const [courseEvery, bins] = [10_000, 90];

/**
 * Completed and failed slices from the start of an execution until now. They show whether the execution is
 * speeding up, slowing down or standing still.
 */
function Course({ id }: { id: string }) {
  const ask = () => world.call<Timeline>('get_execution_timeline', { execution_id: id, bins, slots: 0 });
  const { answer } = usePoll(ask, { key: id, every: courseEvery });
  if (answer?.series === undefined) return <div class="past" />;
  const { completed, failed_attempts: failed } = answer.series;
  const most = Math.max(1, ...completed.map((n, bin) => n + (failed[bin] ?? 0)));
  const bar = (shade: string, bin: number, from: number, n: number) =>
    n > 0 && <rect key={shade + bin} class={shade} x={bin + 0.04} width={0.92} y={most - from - n} height={n} />;
  return (
    <div class="past">
      <p class="quiet other caption">slices done per {roundDuration(answer.bin_seconds)} since the start</p>
      <svg
        class="course"
        viewBox={`0 0 ${completed.length} ${most}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Slices done over time, in bins of ${answer.bin_seconds} s: the last three had ${completed.slice(-3).join(', ')}`}
      >
        {completed.map((n, bin) => [bar('completed', bin, 0, n), bar('failed', bin, n, failed[bin] ?? 0)])}
      </svg>
    </div>
  );
}

/** Whether slices are counted: prompt processing makes no slices, and other programs' slices may be unobservable. */
const areCounted = ({ slices_completed }: Monitor) => slices_completed !== undefined;

/** The slices of an execution, if they are counted. */
function Progress({ monitor }: { monitor: Monitor }) {
  if (!areCounted(monitor)) return null;
  const { created, completed, failed, processing, queued } = countsNow(monitor);
  const total = Math.max(monitor.progress?.slices_planned ?? 0, created);
  return <Bar total={total} parts={{ completed, failed, processing, queued }} />;
}

/**
 * The items that a card counts: slices or, if they are not counted, STF files; in prompt processing, also how
 * many files PanDA has finished at each site.
 */
function whatWords(monitor: Monitor, over: number) {
  const { sites = [], progress } = monitor;
  if (areCounted(monitor))
    return `${count(over)} of ${count(progress?.slices_planned ?? countsNow(monitor).created)} slices`;
  const places = sites.flatMap(({ site = 'PanDA', processed }) =>
    processed === undefined ? site : `${site} ${count(processed)} processed`,
  );
  return ['STF files', ...places].join(', ');
}

/**
 * The share of the planned slices that are final; without a plan, the number of slices that have a result; if
 * slices are not counted, the number of STF files.
 */
function doneWords(monitor: Monitor, over: number) {
  if (!areCounted(monitor)) return count(monitor.stf_count);
  const { slices_planned: planned, slices_final = over } = monitor.progress ?? {};
  return planned === undefined ? count(over) : percent(slices_final, planned, 0);
}
