import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { openBrowser } from '../../../src/commands/shared/start-process.ts';
import { temporaryFolder } from '../../folder.ts';

it.each(['touch %s.html', 'touch'])('BROWSER may be %j', async (launcher) => {
  const address = join(temporaryFolder(), 'page');
  openBrowser({ env: { ...process.env, BROWSER: launcher }, out() {}, err() {} }, address);
  await expect.poll(() => existsSync(launcher.includes('%s') ? `${address}.html` : address)).toBe(true);
});
