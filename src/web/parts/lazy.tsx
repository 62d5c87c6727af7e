import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A part of the page whose program is fetched when it is first shown. @param name what does not come, where the server is away */
export const lazy =
  <Props extends object>(name: string, load: () => Promise<ComponentType<Props>>): ComponentType<Props> =>
  (props) => {
    // A component is a function, which a state would take for a step to the next: so it lies in an object.
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
    return isAway === true ? (
      <p class="banner bad" role="alert">
        ! {name} does not come: the server is away, or is another version now.
      </p>
    ) : null;
  };
