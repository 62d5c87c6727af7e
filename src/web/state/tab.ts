import { useEffect } from 'preact/hooks';

import type { Monitor } from '../shared/answers.ts';

/** The icon's colours. They must suit light and dark tabs, since the page cannot know the browser's background. */
const colours: Readonly<Record<string, string>> = {
  failed: '#d1490c',
  stalled: '#d1490c',
  slow: '#c98500',
  paused: '#8a8f98',
  draining: '#2a78d6',
  progressing: '#2a78d6',
  finished: '#0a8f6c',
};

/** The icon: a ring if there are no findings, a disc with a mark if there are any. */
function iconOf(health: string, hasFinding: boolean) {
  // An ended run with findings is not green.
  const colour = (hasFinding && health === 'finished' ? colours['slow'] : colours[health]) ?? '#8a8f98';
  const shape = hasFinding
    ? `<circle cx="8" cy="8" r="8" fill="${colour}"/><path d="M7 3h2v6H7zM7 11h2v2H7z" fill="#fff"/>`
    : `<circle cx="8" cy="8" r="5.5" fill="none" stroke="${colour}" stroke-width="4"/>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${shape}</svg>`)}`;
}

/** Gives the tab this name, removes the previous page's health from it, and scrolls to the top. */
export function beginPage(name: string) {
  document.title = `${name} · swf-mcp`;
  document.querySelector('link[rel="icon"]')?.setAttribute('href', 'data:,');
  scrollTo(0, 0);
}

/** Shows health in the title and icon of the browser tab, for people who are looking at other tabs. */
export function showInTab(name: string, { health, hasFinding }: { health: string; hasFinding: boolean }) {
  document.title = `${hasFinding ? '! ' : ''}${health} · ${name} · swf-mcp`;
  document.querySelector('link[rel="icon"]')?.setAttribute('href', iconOf(health, hasFinding));
}

/** Prints a name at the top of each printed page. */
function useSheetName(name = '') {
  useEffect(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`@page{@top-left{content:${JSON.stringify(name)}}}`);
    document.adoptedStyleSheets = [sheet];
    return () => void (document.adoptedStyleSheets = []);
  }, [name]);
}

/** Shown while the server is not answering: the last health may be outdated. */
export const noAnswer = { health: 'no answer', hasFinding: true } as const;

/** Shows an execution's health in the browser tab. @param isAway whether the last call had no answer */
export function useTab(monitor: Monitor | undefined, isAway: boolean) {
  const { execution_id, health = 'unknown', findings } = monitor ?? {};
  useSheetName(execution_id);
  const hasFinding = findings?.some(({ severity }) => severity !== 'info') === true;
  useEffect(() => {
    if (execution_id !== undefined) showInTab(execution_id, isAway ? noAnswer : { health, hasFinding });
  }, [execution_id, health, hasFinding, isAway]);
}
