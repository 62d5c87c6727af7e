import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

interface Monitor {
  slices_completed: number;
  slices_failed: number;
  duration_seconds: number;
  latency: { stage: string; p50: number; p95: number; max: number }[];
}

/** The monitor's answer about a store's newest execution. */
export async function monitorOf(db: string): Promise<Monitor> {
  const args = [resolve('dist/cli.js'), '--db', db, 'call', 'get_workflow_monitor', '{"execution_id":"latest"}'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)));
  await new Promise((end) => child.once('close', end));
  return JSON.parse(text) as Monitor;
}
