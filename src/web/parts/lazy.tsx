import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { Skeleton } from './banner.tsx';
import { Button } from './card.tsx';
import { Icon } from './icon.tsx';

/** A part of the page whose code loads when it is first shown. A server sends it as a separate file; the App and a report contain all parts. @param isQuiet shows nothing until then */
export const lazy =
  <Props extends object>(load: () => Promise<ComponentType<Props>>, isQuiet = false): ComponentType<Props> =>
  (props) => {
    // A component is a function, which `useState` would call as an updater, so wrap it in an object.
    const [{ Part, isAway }, setLoaded] = useState<{ Part?: ComponentType<Props>; isAway?: true }>({});
    useEffect(
      () =>
        void load().then(
          (fetched) => setLoaded({ Part: fetched }),
          () => setLoaded({ isAway: true }),
        ),
      [],
    );
    if (Part !== undefined) return <Part {...props} />;
    if (isAway !== true) return isQuiet ? null : <Skeleton />;
    return (
      <p class="banner bad">
        <strong role="alert">
          <Icon name="alert" /> This part of the page does not come.
        </strong>{' '}
        The server is away, or is another version now.{' '}
        <Button onClick={() => location.reload()}>load the page again</Button>
      </p>
    );
  };
