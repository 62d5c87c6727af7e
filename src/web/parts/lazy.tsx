import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { backoff } from '../../lib/duration.ts';
import { longestPause } from '../state/hooks.ts';
import { Skeleton } from './banner.tsx';
import { Button } from './card.tsx';
import { Icon } from './icon.tsx';

/** A part of the page whose code loads when it is first shown. A server sends it as a separate file; the App and a report contain all parts. @param isQuiet shows nothing until then */
export const lazy =
  <Props extends object>(load: () => Promise<ComponentType<Props>>, isQuiet = false): ComponentType<Props> =>
  (props) => {
    // A component is a function, which `useState` would call as an updater, so wrap it in an object.
    const [{ Part, failures = 0 }, setState] = useState<{ Part?: ComponentType<Props>; failures?: number }>({});
    useEffect(() => {
      const fetch = (): void =>
        void load().then(
          (fetched) => setState({ Part: fetched }),
          () => setState({ failures: failures + 1 }),
        );
      if (failures === 0) return fetch();
      const timer = setTimeout(fetch, backoff(failures, { first: 250, longest: longestPause }));
      return () => clearTimeout(timer);
    }, [failures]);
    if (Part !== undefined) return <Part {...props} />;
    // One failure is a network that changes, not a server that is away.
    if (failures < 2) return isQuiet ? null : <Skeleton />;
    return (
      <p class="banner bad">
        <strong role="alert">
          <Icon name="alert" /> This part of the page cannot be loaded.
        </strong>{' '}
        The server is away, or is another version now.{' '}
        <Button onClick={() => location.reload()}>load the page again</Button>
      </p>
    );
  };
