import { render } from 'preact';

import { App } from './parts/app.tsx';
import { httpWorld } from './transport/http.ts';

/** The page of a server. */
const root = document.getElementById('app');
if (root !== null) render(<App world={httpWorld()} />, root);
