import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runCli } from '../helpers.ts';

/** Output of a payload before it fails: texts that would do harm as anything but plain text. */
export const hostile = '<img src=x onerror=alert(1)> </script><script>alert(2)</script>';

/** Settings of a run in which some slices fail, some of them for good, with hostile output. */
export function hostilePayload(folder: string): string[] {
  writeFileSync(
    join(folder, 'recon.sh'),
    `#!/bin/sh
sleep 0.03
case "$SWF_SLICE_ID-$SWF_ATTEMPT" in
  3-*) printf '%s\\033[31m \\342\\200\\256 no geometry\\n' '${hostile}'; : >secret.root; exit 4 ;;
  7-1) echo 'no calibration'; exit 3 ;;
esac
`,
  );
  chmodSync(join(folder, 'recon.sh'), 0o755);
  return [
    '--set',
    'worker.payload=["./recon.sh"]',
    '--set',
    'fast_processing.target_worker_count=4',
    '--set',
    'worker.max_retries=1',
  ];
}

/** Makes such a run. Returns its execution's id. */
export async function hostileRun(folder: string): Promise<string> {
  const args = ['run', '--speed', 'max', '--stf-count', '3', '--json', ...hostilePayload(folder)];
  const { code, stdout, stderr } = await runCli(args, { folder });
  // Some slices fail permanently.
  if (code !== 3) throw new Error(`the run ended with ${code}: ${stderr}`);
  return (JSON.parse(stdout) as { execution_id: string }).execution_id;
}
