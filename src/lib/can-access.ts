import { accessSync } from 'node:fs';

import { tried } from './tried.ts';

/** Whether this process may use a file or folder. @param mode how, by the constants of `node:fs` */
export const canAccess = (path: string, mode: number): boolean =>
  tried(() => {
    accessSync(path, mode);
    return true;
  }) ?? false;
