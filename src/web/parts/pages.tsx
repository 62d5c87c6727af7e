import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { PageProps, Route } from '../state/route.ts';
import { Skeleton } from './banner.tsx';
import { Button } from './card.tsx';

/** The pages by their names. A server sends each as a file of its own, when it is first opened; the App and a report hold them all. */
const pages: Readonly<Record<Route['page'], () => Promise<ComponentType<PageProps>>>> = {
  overview: async () => (await import('./overview.tsx')).Overview,
  execution: async () => (await import('./execution.tsx')).Execution,
  latest: async () => (await import('./latest.tsx')).Latest,
  wall: async () => (await import('./wall.tsx')).Wall,
  compare: async () => (await import('./compare.tsx')).Compare,
  shift: async () => (await import('./shift.tsx')).Shift,
};

/** The page of a name, once its program is there. */
export function Page({ name, ...props }: PageProps & { name: Route['page'] }) {
  // A component is a function, which a state would take for a step to the next: so it lies in an object.
  const [loaded, setLoaded] = useState<{ name: string; Shown?: ComponentType<PageProps> }>();
  useEffect(() => {
    let isGone = false;
    const show = (Shown?: ComponentType<PageProps>): void => {
      if (!isGone) setLoaded({ name, ...(Shown && { Shown }) });
    };
    pages[name]().then(show, () => show());
    return () => {
      isGone = true;
    };
  }, [name]);
  if (loaded?.name !== name) return <Skeleton />;
  const { Shown } = loaded;
  if (Shown !== undefined) return <Shown key={props.ids[0]} {...props} />;
  return (
    <p class="banner bad">
      <strong role="alert">! This part of the page does not come.</strong> The server is away, or is another version
      now. <Button onClick={() => location.reload()}>load the page again</Button>
    </p>
  );
}
