import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Every file that a test makes is under one folder, which goes when the tests are over. */
export default function setup(): () => void {
  const root = mkdtempSync(join(tmpdir(), 'swf-mcp-test-'));
  process.env['SWF_TEST_ROOT'] = root;
  process.env['XDG_CACHE_HOME'] = join(root, 'cache');
  // What a developer has set must not steer the tests.
  for (const name of ['SWF_DB', 'SWF_USER', 'SWF_LOG_LEVEL', 'XDG_DATA_HOME']) delete process.env[name];
  // A program that a test ended may still be writing its last file.
  return () => rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
}
