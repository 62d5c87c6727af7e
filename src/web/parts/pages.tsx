import type { ComponentType } from 'preact';

import type { PageProps, Route } from '../state/route.ts';
import { lazy } from './lazy.tsx';

const Overview = lazy(async () => (await import('./overview.tsx')).Overview);

/** The pages by name. */
const pages: Readonly<Record<Route['page'], ComponentType<PageProps>>> = {
  overview: Overview,
  execution: lazy(async () => (await import('./execution.tsx')).Execution),
  latest: lazy(async () => (await import('./latest.tsx')).Latest),
  wall: isServed ? lazy(async () => (await import('./wall.tsx')).Wall) : Overview,
  compare: lazy(async () => (await import('./compare.tsx')).Compare),
  shift: isServed ? lazy(async () => (await import('./shift.tsx')).Shift) : Overview,
};

/** The page of a name, mounted anew for each execution. */
export function Page({ name, ...props }: PageProps & { name: Route['page'] }) {
  const Shown = pages[name];
  return <Shown key={props.ids[0]} {...props} />;
}
