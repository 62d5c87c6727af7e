import { readdirSync } from 'node:fs';

/** The names in a folder; none if it is missing or cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
