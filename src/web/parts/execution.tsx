import { useLayoutEffect, useState } from 'preact/hooks';

import { duration } from '../../lib/duration.ts';
import { type Range, spanOf } from '../draw/span.ts';
import type { Monitor, Page, Timeline, TimelineAnswer } from '../shared/answers.ts';
import { silentSinceOf } from '../shared/states.ts';
import { isEnded, type Part, useCourse, useMonitor } from '../state/asking.ts';
import { type Polled, useHeight, useNow, usePoll, useStill, useVisible } from '../state/hooks.ts';
import { useShown } from '../state/moment.ts';
import { changed, executionHash, type PageProps } from '../state/route.ts';
import { beginPage, useTab } from '../state/tab.ts';
import { partWithin } from '../state/zoom.ts';
import { world } from '../transport/call.ts';
import { FaultBanner, lazy, Refused, Skeleton, Unanswered } from './banner.tsx';
import { Card } from './card.tsx';
import { Findings } from './findings.tsx';
import { Flow } from './flow.tsx';
import { Header } from './header.tsx';
import { Icon } from './pill.tsx';

const AsOf = lazy(async () => (await import('./as-of.tsx')).AsOf, true);
const Causes = lazy(async () => (await import('./causes.tsx')).Causes, true);
/** In one file, so that everything below the first view arrives together and nothing moves. */
const Details = lazy(async () => (await import('./details.tsx')).Details, true);
const Drawer = lazy(async () => (await import('./drawer.tsx')).Drawer);
const PartShown = lazy(async () => (await import('./as-of.tsx')).PartShown);

const second = 1000;
/**
 * How often, in milliseconds, to request the pictures of an execution without a driver, in which only the time
 * advances.
 */
const silentEvery = 15 * second;

/**
 * How often, in milliseconds, to request pictures of a live run: its counts change every second, but pictures
 * account for most of the bytes.
 */
const pictureEvery = 5 * second;

/** A running execution without new records for this long, in seconds, is reported as quiet. */
const old = { warning: 60, alarm: 900 };

interface AwaitedProps {
  isShown: boolean;
  /**
   * Whether only this request, for other pictures of an ended execution, would reveal that the server is not
   * answering.
   */
  isAlone: boolean;
  polled: Polled<TimelineAnswer>;
}

/** Says why pictures are missing or outdated. */
function Awaited({ isShown, isAlone, polled }: AwaitedProps) {
  if (isShown && !isAlone) return <Refused {...polled} />;
  return <FaultBanner fault={polled.fault} about={isShown ? 'Older pictures: ' : 'No pictures: '} />;
}

/** How often, in milliseconds, to check for a newer execution. */
const newestEvery = 2 * second;

/** An execution. `latest` shows the newest one, and the next one as soon as it begins. */
export function Execution({ ids: [name = ''], params, change, theme }: PageProps) {
  const isLatest = name === 'latest';
  const newest = async () => {
    if (!isLatest) return undefined;
    const { items } = await world.call<Page<Pick<Monitor, 'execution_id'>>>('list_workflow_executions', { limit: 1 });
    return { id: items[0]?.execution_id };
  };
  const { answer, fault } = usePoll(newest, { key: name, every: newestEvery, isOver: () => !isLatest });
  const id = isLatest ? answer?.id : name;
  /**
   * A place within a run is given that run's own address, so that the place can be shared: tomorrow "latest"
   * will be another run. "Back" returns to the newest run.
   */
  const go: PageProps['change'] = (to) => {
    if (
      !isLatest ||
      id === undefined ||
      Object.entries(to).every(([key, value]) => key === 'tab' || value === undefined)
    )
      change(to);
    else location.hash = executionHash(id, changed(params, to));
  };
  // The same component for `latest` and for an id, so that nothing moves when one address replaces the other.
  if (id !== undefined) return <Single key={id} {...{ id, params, theme }} change={go} />;
  if (answer !== undefined) return <p class="banner">There are no executions yet: the first one will be shown here.</p>;
  return fault === undefined ? <Skeleton /> : <FaultBanner fault={fault} />;
}

type SingleProps = Omit<PageProps, 'ids'> & { id: string };

/** One execution: its facts, its problems, and its course along one time axis. */
function Single(props: SingleProps) {
  const { id } = props;
  const now = useNow();
  const every = world.kind === 'app' ? 2 * second : second;
  const { answer, fault, at } = useMonitor(id, every);
  useLayoutEffect(() => beginPage(id), []);
  useTab(answer, fault !== undefined);
  if (answer === undefined) return <Unanswered id={id} fault={fault} />;
  return (
    <>
      <FaultBanner fault={fault} at={at} />
      {world.kind !== 'report' && <Age monitor={answer} now={now} />}
      <Whole {...props} monitor={answer} every={every} />
    </>
  );
}

interface WholeProps extends SingleProps {
  monitor: Monitor;
  every: number;
}

function Whole({ id, params, change, theme, monitor, every }: WholeProps) {
  const isOver = isEnded(monitor);
  const [ref, isVisible] = useVisible();
  const part = partOf(params);
  const isPart = part.start_time !== undefined;
  const { line, shown, polled, isAwaited } = useCourse(id, part, {
    every: Math.max(pictureEvery, silentSinceOf(monitor) === undefined ? every : silentEvery),
    isOver,
    hasSlots: isVisible,
  });
  const at = useShown(id, { monitor, params, line, isOver });
  const { asOf } = at;
  const hasEnded = isOver && (isPart || !isAwaited);
  const isThen = asOf !== undefined;
  const showsNow = at.moment === undefined;
  const still = useStill(!isOver, isThen, showsNow);
  const head = useHeight(showsNow);
  const open = (name: string) => change({ slice: name });
  const [cursor, onCursor] = useState<number | undefined>(undefined);
  const zoom = (from: number, until: number) => change(partOfAddress(line ?? shown, { from, until }));
  const shared = { asOf, cursor, onCursor, onZoom: zoom };
  return (
    <>
      <div class={isThen ? 'held' : ''} style={head.style} ref={head.ref}>
        <Header
          {...at}
          slider={<div class="asof-place">{line && <AsOf timeline={line} {...at} change={change} />}</div>}
        />
      </div>
      <FaultBanner fault={at.fault} />
      <Awaited isShown={shown !== undefined} isAlone={isOver && isAwaited} polled={polled} />
      <div class={`two ${still.shade}`} style={still.style} ref={still.ref}>
        <Findings monitor={at.monitor} onOpen={open} dimmed={at.isNow} />
        {monitor.sites === undefined && (
          <div class={dimmedIf(isThen)}>
            <Causes timeline={shown} isLive={!isOver} isThen={isThen} onOpen={open} />
          </div>
        )}
      </div>
      {shown === undefined && <Loading answer={polled.answer} />}
      {isPart && (
        <PartShown part={part} line={line} {...{ shown, isAwaited }} onZoom={zoom} onWhole={() => change(wholeRun)} />
      )}
      {monitor.sites === undefined && shown && <Flow monitor={monitor} timeline={shown} {...shared} />}
      <section class="below" ref={ref}>
        <Details
          {...{ at, shown, theme, hasEnded, shared, open }}
          fault={polled.fault}
          tab={params['tab']}
          window={windowOf(part, shown)}
          onTab={(tab) => change({ tab })}
          seq={line?.seq}
        />
      </section>
      {params['slice'] !== undefined && (
        <Drawer name={params['slice']} asOf={at.moment} onClose={() => change({ slice: undefined })} />
      )}
    </>
  );
}

const dimmedIf = (isDimmed: boolean) => (isDimmed ? 'dimmed' : '');

const wholeRun = { from: undefined, to: undefined };

/** The part of the address for a chosen range of time. */
function partOfAddress(line: Timeline | undefined, range: Range): { from: string | undefined; to: string | undefined } {
  const part = line && partWithin(spanOf(line), range);
  return part === undefined
    ? wholeRun
    : { from: new Date(part.from).toISOString(), to: new Date(part.until).toISOString() };
}

/** The time range of the bins shown, for the rows below them. */
const windowOf = (part: Part, shown: Timeline | undefined) =>
  part.start_time && shown ? { start_time: shown.from, end_time: shown.until } : part;

function partOf({ from, to }: Readonly<Record<string, string>>): Part {
  const isTime = (text: string | undefined): text is string => text !== undefined && !Number.isNaN(Date.parse(text));
  return { ...(isTime(from) ? { start_time: from } : {}), ...(isTime(to) ? { end_time: to } : {}) };
}

/** A placeholder as high as the pictures that it stands in for. */
const Loading = ({ answer }: { answer: TimelineAnswer | undefined }) => (
  <div class="coming">
    <Card title="Throughput and backlog">
      {answer?.loading !== undefined && <p role="status">{Math.floor(answer.loading * 100)} % of its slices loaded</p>}
      <Skeleton />
    </Card>
  </div>
);

/** Says that a running execution has gone quiet. If its driver is gone, a finding says more. */
function Age({ monitor, now }: { monitor: Monitor; now: number }) {
  const { heard_until, status, data_as_of } = monitor;
  // The header already says until when messages of the run were received.
  if (
    heard_until !== undefined ||
    status !== 'running' ||
    data_as_of === undefined ||
    silentSinceOf(monitor) !== undefined
  )
    return null;
  const seconds = (now - Date.parse(data_as_of)) / 1000;
  if (seconds < old.warning) return null;
  return (
    <p class={`banner ${seconds < old.alarm ? 'warn' : 'bad'}`}>
      <Icon name="alert" /> Nothing has been recorded for {duration(seconds)}, although the execution is running.
    </p>
  );
}
