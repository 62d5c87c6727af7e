import type { Hash } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A digest by SHA-256. Its module is loaded when the first is made: most first answers need none, and a client waits for them. */
export const sha256 = (): Hash => (require('node:crypto') as typeof import('node:crypto')).createHash('sha256');
