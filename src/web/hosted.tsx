import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { AppView } from './parts/app-view.tsx';
import { App } from './parts/app.tsx';
import { useRoute } from './state/hooks.ts';
import { Around } from './state/world.ts';
import type { World } from './transport/call.ts';
import { hostWorld } from './transport/host.ts';

/** The page within a chat: the execution of the call, or the whole page if there is room. */
function Hosted() {
  const [world, setWorld] = useState<World | undefined>(undefined);
  const [id, setId] = useState<string | undefined>(undefined);
  const [words, setWords] = useState('');
  const [route] = useRoute();
  useEffect(() => {
    void hostWorld({
      onExecution: setId,
      onRefused: setWords,
      onCancelled: (reason) => setWords(`The call was cancelled. ${reason}`),
      onTheme: (theme) => void (document.documentElement.dataset['theme'] = theme),
      onTeardown: () => {
        setWorld(undefined);
        setWords('This view has ended.');
      },
    }).then(setWorld, (fault: Error) => setWords(`There is no picture: ${fault.message}.`));
  }, []);
  if (world === undefined || id === undefined)
    return <p class="card">{words === '' ? 'Waiting for an execution…' : words}</p>;
  if (route.ids.length > 0) return <App world={world} />;
  return (
    <Around.Provider value={{ world, zone: 'UTC' }}>
      <main class="compact">
        <AppView key={id} id={id} />
      </main>
    </Around.Provider>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<Hosted />, root);
