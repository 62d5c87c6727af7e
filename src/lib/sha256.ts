import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * A SHA-256 hash. Loads its module at the first use: most first answers need no hash, and a client waits for
 * them.
 */
export const sha256 = () => (require('node:crypto') as typeof import('node:crypto')).createHash('sha256');
