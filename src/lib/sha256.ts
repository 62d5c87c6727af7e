import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * A SHA-256 hash. Loads its module on first use: the first answer, which a client is waiting for, rarely needs
 * a hash.
 */
export const sha256 = () => (require('node:crypto') as typeof import('node:crypto')).createHash('sha256');
