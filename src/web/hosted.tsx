import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { AppView } from './parts/app-view.tsx';
import { App } from './parts/app.tsx';
import { showTimesIn } from './shared/format.ts';
import { useRoute } from './state/hooks.ts';
import { enter } from './transport/call.ts';
import { hostWorld } from './transport/host.ts';

/** The page within a chat: shows the execution of the call, or the whole page if there is room. */
function Hosted() {
  const [isIn, setIn] = useState(false);
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
        setIn(false);
        setWords('This view is closed.');
      },
    })
      .then(enter)
      .then(
        () => setIn(true),
        (fault: Error) => setWords(`Nothing can be shown: ${fault.message}.`),
      );
  }, []);
  if (!isIn || id === undefined) return <p class="card">{words === '' ? 'Waiting for an execution…' : words}</p>;
  if (route.ids.length > 0) return <App />;
  // The full page, if shown before, may have used another time zone.
  showTimesIn('UTC');
  return (
    <main class="compact">
      <AppView key={id} id={id} />
    </main>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<Hosted />, root);
