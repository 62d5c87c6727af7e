import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty folder; under the one that the test run removes, where there is a test run. */
export function temporaryFolder(): string {
  return mkdtempSync(join(process.env['SWF_TEST_ROOT'] ?? tmpdir(), 'case-'));
}
