import { render } from 'preact';

import { App } from './parts/app.tsx';
import { enter } from './transport/call.ts';
import { httpWorld } from './transport/http.ts';

const root = document.getElementById('app');
// Removes the text that is shown if the program does not load.
root?.replaceChildren();
enter(httpWorld());
if (root !== null) render(<App />, root);
