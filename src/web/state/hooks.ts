import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { backoff } from '../../lib/duration.ts';
import { tried } from '../../lib/tried.ts';
import { CallError } from '../transport/call.ts';
import { changed, hashOf, readRoute, type Route } from './route.ts';

/** How many parts of a run this page has shown before the current one. */
export const stepsBack = () => (history.state as { steps?: number } | null)?.steps ?? 0;

/**
 * The route that the address names, and a function to change its parameters. Choosing a part of a run adds a
 * history entry, so that "back" leaves the part; other changes add nothing.
 */
export function useRoute(): [Route, (params: Record<string, string | undefined>) => void] {
  const [route, setRoute] = useState(() => readRoute(location.hash));
  useEffect(() => {
    const read = () => setRoute(readRoute(location.hash));
    addEventListener('hashchange', read);
    // The address may have changed after the first render but before this listener was added.
    read();
    return () => removeEventListener('hashchange', read);
  }, []);
  const change = (params: Record<string, string | undefined>) => {
    const now = readRoute(location.hash);
    const next = { ...now, params: changed(now.params, params) };
    if (hashOf(next) === hashOf(now)) return;
    try {
      if ('from' in params) history.pushState({ steps: stepsBack() + 1 }, '', hashOf(next));
      else history.replaceState(history.state, '', hashOf(next));
    } catch {
      // In a chat, the page's frame has no address of its own, only a fragment.
      location.hash = hashOf(next);
    }
    setRoute(next);
  };
  return [route, change];
}

/** The state of a polled question. */
export interface Polled<T> {
  answer: T | undefined;
  fault: CallError | undefined;
  /** When the answer arrived, in milliseconds since 1970; 0 if there is none. */
  at: number;
}

/** The longest pause between two attempts to reach the server, in milliseconds. */
export const longestPause = 15_000;

/**
 * Asks immediately, and then every `every` milliseconds, but less often while the server does not answer, not
 * while the page is hidden, and never again once `isOver` is true of an answer. The last answer is kept until
 * the next one arrives.
 */
export function usePoll<T>(
  ask: (before: T | undefined) => Promise<T>,
  { key, every, isOver = () => false }: { key: string; every: number; isOver?: (answer: T) => boolean },
): Polled<T> {
  const [state, setState] = useState<Polled<T> & { key: string }>({ key, answer: undefined, fault: undefined, at: 0 });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    let answer: T | undefined;
    let timer: number | undefined;
    let failures = 0;
    let isGone = false;
    let isAsking = false;
    const look = async () => {
      timer = undefined;
      isAsking = true;
      try {
        const next = await latest.current(answer);
        if (isGone) return;
        answer = next;
        failures = 0;
        setState({ key, answer, fault: undefined, at: Date.now() });
        if (isOver(next)) return;
      } catch (error) {
        if (isGone) return;
        const fault = error instanceof CallError ? error : new CallError('refused', String(error));
        setState((before) => ({ key, answer, fault, at: answer === undefined ? 0 : before.at }));
        failures = fault.fault === 'disconnected' ? failures + 1 : 0;
      } finally {
        isAsking = false;
      }
      if (!document.hidden)
        timer = setTimeout(look, failures === 0 ? every : backoff(failures, { first: every, longest: longestPause }));
    };
    const onVisible = () => {
      // Never run two polling loops at once, whatever event calls this.
      if (document.hidden || isAsking || (answer !== undefined && isOver(answer))) return;
      clearTimeout(timer);
      void look();
    };
    document.addEventListener('visibilitychange', onVisible);
    addEventListener('swf-again', onVisible);
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
      removeEventListener('swf-again', onVisible);
    };
  }, [key, every]);
  return state.key === key ? state : { answer: undefined, fault: undefined, at: 0 };
}

/** Asks once, and again only if no answer arrives. */
export const useAnswer = <T>(key: string, ask: () => Promise<T>) =>
  usePoll(ask, { key, every: 2000, isOver: () => true });

/** The last value that stayed unchanged for this many milliseconds. */
export function useSettled<T>(value: T, milliseconds: number) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** Whether a media query, such as `print`, matches. */
export function useMedia(query: string) {
  const [fits, setFits] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const onChange = () => setFits(media.matches);
    media.addEventListener('change', onChange);
    // The match may have changed after the render but before this listener was added.
    onChange();
    return () => media.removeEventListener('change', onChange);
  }, [query]);
  return fits;
}

/** The width of a card's content on a sheet of A4, in pixels. */
const paperWidth = 670;

/**
 * The current width of an element in pixels. On paper it is a card's width, because the text of drawings made
 * for a wide screen would otherwise be tiny.
 */
export function useWidth(fallback = 900): [RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(fallback);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const measure = () => setWidth(Math.max(200, Math.floor(element.clientWidth)));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, useMedia('print') ? paperWidth : width];
}

/**
 * Whether an element is on the screen now.
 * @param margin a margin around the screen that counts too, in CSS syntax
 */
export function useOnScreen(margin = '0px'): [RefObject<HTMLElement | null>, boolean] {
  const ref = useRef<HTMLElement>(null);
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (ref.current === null) return undefined;
    const observer = new IntersectionObserver((entries) => setShown(entries.at(-1)?.isIntersecting === true), {
      rootMargin: margin,
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, isShown];
}

/**
 * Whether an element is, or ever was, on or near the screen. Stays true, since the content that it loads may
 * move it away again.
 */
export function useVisible(): [RefObject<HTMLElement | null>, boolean] {
  const [ref, isNear] = useOnScreen('300px');
  const wasNear = useRef(false);
  wasNear.current ||= isNear;
  return [ref, wasNear.current];
}

/** The current time in milliseconds since 1970, updated every second. */
export function useNow() {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** A choice that this browser stores, if it allows storage. */
export function useChoice<T extends string>(name: string, initial: T): [T, (value: T) => void] {
  const key = `swf-mcp-${name}`;
  const [value, setValue] = useState<T>(() => tried(() => localStorage.getItem(key) as T | null) ?? initial);
  const choose = (next: T) => {
    setValue(next);
    // A page opened as a file has no storage, so the choice is lost when the page is closed.
    tried(() => localStorage.setItem(key, next));
  };
  return [value, choose];
}

/**
 * Measures the height of a place's first element while the page shows the present; when it shows an earlier
 * moment, the place keeps that height (`--still`).
 */
export function useHeight(isMeasured: boolean) {
  const ref = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState<number | undefined>(undefined);
  useLayoutEffect(() => {
    const [first] = ref.current?.children ?? [];
    if (isMeasured && first instanceof HTMLElement) setHeight(first.getBoundingClientRect().height);
  });
  return { ref, style: height === undefined ? {} : { '--still': `${height}px` } };
}

/**
 * A place of constant height for findings and causes, which appear and disappear during a run and while its
 * film plays. Its height does not change when the run ends or when an earlier moment is shown.
 */
export function useStill(isLive: boolean, isThen: boolean, showsNow: boolean) {
  const [wasLive] = useState(isLive);
  return { ...useHeight(!wasLive && showsNow), shade: wasLive ? 'still live' : isThen ? 'still' : '' };
}
