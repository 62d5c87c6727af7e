import type { SchemaHistory } from './migration.ts';
import { schema, schemaVersion } from './schema.ts';

/**
 * The store's schema. Until the first release `schema.ts` is edited in place, and each change raises its version; stores of another version
 * are refused. From then on `schema.ts` stays as it is, and a change is a step here.
 */
export const schemaHistory: SchemaHistory = { baseVersion: schemaVersion, base: schema, steps: [] };
