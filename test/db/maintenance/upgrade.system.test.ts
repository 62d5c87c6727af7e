import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { schemaVersion } from '../../../src/db/opening/schema-version.ts';
import { runCliProcess, startCli } from '../../helpers.ts';
import { olderStore } from '../../stores/older-store.ts';

describe('an upgrade that is killed', () => {
  it.each(['reading the log: 0 ', 'reading the log: 126 ', 'copying', 'comparing', 'putting'])(
    'after printing %j leaves a complete store, old or new, and the next upgrade succeeds',
    async (line) => {
      const folder = olderStore(18);
      const path = join(folder, 'swf.db');
      const upgrading = startCli(['upgrade'], { folder });
      await upgrading.saw(new RegExp(line));
      upgrading.child.kill('SIGKILL');
      await upgrading.finished;
      const db = new Database(path);
      expect([18, schemaVersion]).toContain(db.pragma('user_version', { simple: true }));
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      expect(db.prepare('SELECT count(*) FROM message_rows').pluck().get()).toBe(180);
      db.close();
      expect(await runCliProcess(['upgrade'], { folder })).toMatchObject({ code: 0 });
      expect(await runCliProcess(['check', '--deep', '--skip-files'], { folder })).toMatchObject({ code: 0 });
      expect(readdirSync(folder).filter((name) => name.endsWith('.upgrading'))).toEqual([]);
    },
  );
});
