import { render } from 'preact';

import { App } from './parts/app.tsx';
import { enter } from './transport/call.ts';
import { reportWorld } from './transport/report.ts';

/** The page as one file, with the answers that it shows. */
const root = document.getElementById('app');
if (root !== null)
  void reportWorld()
    .then(enter)
    .then(() => render(<App />, root));
