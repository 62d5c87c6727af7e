import { type ComponentType, Fragment } from 'preact';
import { useLayoutEffect, useMemo } from 'preact/hooks';

import { showTimesIn, time, type Zone, zone } from '../shared/format.ts';
import { useChoice, useRoute } from '../state/hooks.ts';
import { hashOf, type PageProps, type Route } from '../state/route.ts';
import { beginPage } from '../state/tab.ts';
import { world } from '../transport/call.ts';
import { lazy } from './banner.tsx';
import { Button } from './card.tsx';

/** The alarm bar loads later; the page reserves space for it, so nothing moves when it appears. */
const AlarmBar = isServed ? lazy(async () => (await import('./alarms.tsx')).AlarmBar, true) : Fragment;

/** Key handling loads later: no one presses a key before the page appears. */
const Keys = isServed ? lazy(async () => (await import('./keys.tsx')).Keys, true) : Fragment;

type Theme = 'system' | 'light' | 'dark';

const nextTheme: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };

/** The page: a line at the top, and the view that the page's address names. */
export function App() {
  const [route, change] = useRoute();
  const [chosenZone, setZone] = useChoice<Zone>('time', 'UTC');
  showTimesIn(chosenZone);
  const [theme, setTheme] = useChoice<Theme>('theme', 'system');
  // Set while rendering, not afterwards: the parts below paint with the theme's colours.
  useMemo(() => {
    // Within a chat, the chat program sets the theme.
    if (world.kind === 'app') return;
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  const { report } = world;
  const id = route.ids[0] ?? report?.execution_id ?? '';
  const page = report !== undefined && route.page === 'overview' ? 'execution' : route.page;
  // An execution's view calls `beginPage` itself, since the newest execution has two addresses.
  useLayoutEffect(() => beginPage(page === 'execution' ? id : page), [page]);
  const ids = page === 'execution' ? [id, ...route.ids.slice(1)] : route.ids;
  const Page = pages[page];
  return (
    <>
      <Top hasPages={report === undefined} hasTools={page !== 'wall'} {...{ setZone, theme, setTheme }} />
      {isServed && (
        <aside class="alarm-place" aria-label="Alarms">
          <AlarmBar />
        </aside>
      )}
      <main id="main" tabindex={-1}>
        {report && (
          <p class={`banner ${report.isRunning ? 'warn' : ''}`}>
            {report.isRunning
              ? `Made at ${time(report.madeAt)}, before the execution had ended: later events are missing.`
              : `A report made at ${time(report.madeAt)}.`}
          </p>
        )}
        <Page {...{ ids, change, theme }} params={route.params} />
      </main>
      <Keys />
    </>
  );
}

interface TopProps {
  hasPages: boolean;
  /** Whether to show buttons: no one presses buttons on a wall screen. */
  hasTools: boolean;
  setZone: (zone: Zone) => void;
  theme: Theme;
  setTheme: (theme: Theme) => void;
}

function Top({ hasPages, hasTools, setZone, theme, setTheme }: TopProps) {
  const toMain = (event: Event) => {
    event.preventDefault();
    document.getElementById('main')?.focus();
  };
  return (
    <header class="top">
      <a class="skip" href="#main" onClick={toMain}>
        skip to content
      </a>
      <strong>swf-mcp</strong>
      {hasPages && (
        <nav aria-label="Pages">
          <a href={hashOf({ page: 'overview' })}>Executions</a>
          {isServed && <a href={hashOf({ page: 'shift' })}>Shift</a>}
          {isServed && <a href={hashOf({ page: 'wall' })}>Wall</a>}
        </nav>
      )}
      {hasTools && (
        <span class="tools">
          <Choice what="times" value={zone} onClick={() => setZone(zone === 'UTC' ? 'local' : 'UTC')} />
          <Choice what="colours" value={theme} onClick={() => setTheme(nextTheme[theme])} />
          <Button onClick={() => print()}>print</Button>
        </span>
      )}
    </header>
  );
}

/** A button that shows the current choice and switches to the next. */
function Choice({ what, value, onClick }: { what: string; value: string; onClick: () => void }) {
  const label = `${what}: ${value}; change`;
  return (
    <button type="button" title={label} aria-label={label} onClick={onClick}>
      {value}
    </button>
  );
}

const Overview = lazy(async () => (await import('./overview.tsx')).Overview);

const pages: Readonly<Record<Route['page'], ComponentType<PageProps>>> = {
  overview: Overview,
  execution: lazy(async () => (await import('./execution.tsx')).Execution),
  wall: isServed ? lazy(async () => (await import('./wall.tsx')).Wall) : Overview,
  compare: lazy(async () => (await import('./compare.tsx')).Compare),
  shift: isServed ? lazy(async () => (await import('./shift.tsx')).Shift) : Overview,
};
