import { readdirSync } from 'node:fs';

import { tried } from './tried.ts';

/** The names in a folder; none if it is missing or cannot be read. */
export const namesIn = (folder: string): string[] => tried(() => readdirSync(folder)) ?? [];
