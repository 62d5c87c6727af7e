import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../test/folder.ts';
import { startCli } from './cli.ts';

const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

interface Reading {
  megabytes: number;
  descriptors: number;
}

function readingOf(pid: number): Reading {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return { megabytes: Number(kilobytes) / 1000, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** The questions that clients ask in turn, each with a function that finds what is wrong with an answer. */
const questions: readonly {
  tool: string;
  args: object;
  wrong: (answer: Record<string, number>) => string | undefined;
}[] = [
  {
    tool: 'get_workflow_monitor',
    args: { execution_id: 'latest' },
    wrong: (a) =>
      (a['slices_queued'] ?? 0) +
        (a['slices_processing'] ?? 0) +
        (a['slices_completed'] ?? 0) +
        (a['slices_failed'] ?? 0) ===
      a['slices_created']
        ? undefined
        : 'the counts do not add up',
  },
  { tool: 'list_messages', args: { execution_id: 'latest', limit: 20 }, wrong: () => undefined },
  { tool: 'list_tf_slices', args: { status: 'completed', limit: 20 }, wrong: () => undefined },
  { tool: 'summarize', args: { what: 'slices', group_by: 'status', execution_id: 'latest' }, wrong: () => undefined },
  { tool: 'list_logs', args: { level: 'WARNING', limit: 20 }, wrong: () => undefined },
];

/** Errors that are due to pruning at the same time: what was requested is gone. */
const isPruned = (text: string): boolean => /EXECUTION_NOT_FOUND|CURSOR_INVALID/.test(text);

/**
 * Lets a number of clients ask for a number of minutes, beside runs, prunes and backups. Prints figures;
 * returns what was wrong.
 */
export async function soak(minutes: number, clients: number): Promise<string[]> {
  const folder = temporaryFolder();
  const wrong: string[] = [];
  const over = new AbortController();
  const forever = async (words: (n: number) => string[], after?: (n: number) => void): Promise<void> => {
    for (let n = 0; !over.signal.aborted; n += 1) {
      const { code, stderr } = await startCli(folder, words(n)).ended;
      if (code !== 0) wrong.push(`${words(n).join(' ')} ended with ${code}: ${stderr}`);
      after?.(n);
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
    }
  };
  await startCli(folder, ['run', '--speed', 'max', '--stf-count', '40']).ended;
  const server = startCli(folder, ['serve', '--http', '0']);
  const url = await new Promise<string>((resolve) => {
    server.child.stderr?.on('data', (data: Buffer | string) => {
      const [, found] = /MCP server at (http:\S+\/mcp)/.exec(String(data)) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  const pid = server.child.pid as number;
  const others = [
    forever(() => ['run', '--speed', '60', '--stf-count', '20', '--set', 'fast_processing.slice_processing_time=20']),
    forever(() => ['prune', '--keep', '2']),
    forever(
      (n) => ['backup', `b${n}.db`],
      (n) => rmSync(join(folder, `b${n}.db`), { force: true }),
    ),
  ];
  const times: number[] = [];
  const client = async (first: number): Promise<void> => {
    for (let n = first; !over.signal.aborted; n += 1) {
      const { tool, args, wrong: look } = questions[n % questions.length] as (typeof questions)[number];
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: n,
        method: 'tools/call',
        params: { name: tool, arguments: args },
      });
      const began = performance.now();
      const text = await fetch(url, { method: 'POST', headers, body }).then(
        (response) => response.text(),
        (error: unknown) => `no answer: ${String(error)}`,
      );
      times.push(performance.now() - began);
      const answer = /^data: (.*)$/m.exec(text)?.[1];
      const result =
        answer === undefined
          ? undefined
          : (JSON.parse(answer) as { result?: { isError?: boolean; structuredContent?: Record<string, number> } })
              .result;
      if (result === undefined || (result.isError === true && !isPruned(text)))
        wrong.push(`${tool}: ${text.slice(0, 300)}`);
      else if (result.structuredContent !== undefined) {
        const why = look(result.structuredContent);
        if (why !== undefined) wrong.push(`${tool}: ${why}: ${text.slice(0, 300)}`);
      }
      // A client pauses between two questions.
      await new Promise((resolve) => {
        setTimeout(resolve, 100 + ((n * 37) % 100));
      });
    }
  };
  const asking = Array.from({ length: clients }, (_, at) => client(at));
  const readings: Reading[] = [];
  for (let n = 0; n < minutes * 6; n += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 10_000);
    });
    readings.push(readingOf(pid));
  }
  over.abort();
  await Promise.all([...asking, ...others]);
  server.child.kill('SIGTERM');
  const { stderr } = await server.ended;
  if (/bug|Warning:/.test(stderr)) wrong.push(stderr);
  return [...wrong, ...figuresOf(times, readings)];
}

const maxMilliseconds = 250;

/** Prints the figures. Returns those that are not as they should be. */
function figuresOf(times: number[], readings: readonly Reading[]): string[] {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0);
  const middle = (some: readonly Reading[], of: keyof Reading): number =>
    some.map((one) => one[of]).toSorted((a, b) => a - b)[Math.floor(some.length / 2)] ?? 0;
  const [early, late] = [readings.slice(0, readings.length / 3), readings.slice(-readings.length / 3)];
  const grown = (of: keyof Reading): string => `${Math.round(middle(early, of))} to ${Math.round(middle(late, of))}`;
  console.log(
    `soak: ${times.length} calls, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(0.99999)} ms; ` +
      `memory ${grown('megabytes')} MB, descriptors ${grown('descriptors')} (first and last third)`,
  );
  const wrong: string[] = [];
  if (at(0.99) > maxMilliseconds) wrong.push(`p99 is ${at(0.99)} ms`);
  if (middle(late, 'megabytes') > 1.2 * middle(early, 'megabytes'))
    wrong.push(`memory grew from ${grown('megabytes')} MB`);
  if (middle(late, 'descriptors') > middle(early, 'descriptors') + 20)
    wrong.push(`descriptors grew from ${grown('descriptors')}`);
  return wrong;
}
