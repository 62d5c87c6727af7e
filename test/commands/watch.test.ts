import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { recordEntry } from '../../src/db/logbook/entries.ts';
import { lastLook } from '../../src/db/logbook/watching.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { runCli, runWorkflow, startCli, temporaryFolder } from '../helpers.ts';
import { rounds } from '../rounds.ts';

interface Hook {
  url: string;
  told: { id: string; change: string; text: string }[];
  /** The status of the next answers; 0: no answer. */
  status: number;
  /** The number of requests that get no answer. */
  hanging: number;
  server: Server;
}

/** An HTTP receiver. */
async function startHook(): Promise<Hook> {
  const hook: Hook = { url: '', told: [], status: 200, hanging: 0, server: createServer() };
  hook.server.on('request', (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      if (hook.status === 200) hook.told.push(JSON.parse(body) as Hook['told'][number]);
      if (hook.status > 0) response.writeHead(hook.status).end();
      else hook.hanging += 1;
    });
  });
  await new Promise<void>((ready) => hook.server.listen(0, '127.0.0.1', ready));
  onTestFinished(() => {
    hook.server.closeAllConnections();
    hook.server.close();
  });
  hook.url = `http://127.0.0.1:${(hook.server.address() as AddressInfo).port}/hooks/s3cret`;
  return hook;
}

/** A program that writes the events it is given into a file. */
function program(folder: string, name: string): { path: string; lines: () => string[] } {
  const [path, file] = [join(folder, name), join(folder, `${name}.told`)];
  writeFileSync(path, `#!/bin/sh\necho "$SWF_EVENT $SWF_ID $SWF_MCP_TOKEN" >> ${file}\n`);
  chmodSync(path, 0o755);
  return { path, lines: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []) };
}

/** A run in which every slice fails. */
async function failingRun(folder: string): Promise<void> {
  const payload = join(folder, 'fails.sh');
  writeFileSync(payload, '#!/bin/sh\nexit 3\n');
  chmodSync(payload, 0o755);
  await runCli(
    [
      'run',
      '--stf-count',
      '1',
      '--speed',
      'max',
      '--set',
      `worker.payload=["${payload}"]`,
      '--set',
      'worker.max_retries=0',
    ],
    { folder },
  );
}

const until = (test: () => void): Promise<void> => vi.waitFor(test, { timeout: 200_000, interval: 20 });

const failed = 'alarm/SLICES_FAILED/stf_datataking-tester-0001/1';

const quickly = ['--every', '1', '--set', 'watch.after.SLICES_FAILED=0'];

describe('swf-mcp watch', () => {
  it('waits for a store, raises an alarm once, and notifies a program and a webhook once per change', async () => {
    const folder = temporaryFolder();
    const hook = await startHook();
    const { path, lines } = program(folder, 'tell.sh');
    const env = { SWF_WEBHOOK: hook.url, SWF_MCP_TOKEN: 'hidden' };
    const watching = startCli(['watch', '--notify', path, ...quickly], { folder, env });
    await watching.saw(/^waiting for the store /m);
    await failingRun(folder);
    await until(() => expect(hook.told).toHaveLength(1));
    const open = await runCli(['alarms'], { folder });
    expect(open.stdout).toMatch(/raised +error +SLICES_FAILED +stf_datataking-tester-0001/);
    const seen = await runCli(['alarms', 'seen', 'SLICES', 'I look at it', '--requested-by', 'Ana'], { folder });
    expect(seen.stdout).toBe(
      'SLICES_FAILED/stf_datataking-tester-0001 is now marked as seen by Ana (as tester claims)\n',
    );
    // The execution has ended, so its alarm is over once a person has seen it.
    await until(() => expect(hook.told).toHaveLength(3));
    await until(() => expect(lines()).toHaveLength(3));
    expect(hook.told.map(({ id, change }) => `${change} ${id}`)).toEqual([
      `raised ${failed}/raised`,
      `seen ${failed}/seen`,
      `cleared ${failed}/cleared`,
    ]);
    // The program would print the token after the id.
    expect(lines().map((line) => line.trimEnd())).toEqual([
      `alarm_raised ${failed}/raised`,
      `alarm_seen ${failed}/seen`,
      `alarm_cleared ${failed}/cleared`,
    ]);
    watching.child.kill('SIGTERM');
    const { code, stderr } = await watching.finished;
    expect(code).toBe(0);
    expect(stderr).toContain('webhook at 127.0.0.1:');
    expect(stderr).not.toMatch(/s3cret|hidden/);
    expect(await runCli(['check', '--deep'], { folder })).toMatchObject({ code: 0 });
    // A new watcher looks at the store again, and does not raise the same alarm again.
    const store = await openStore(join(folder, 'swf.db'));
    onTestFinished(() => store.close());
    const before = lastLook(store.sql);
    const again = startCli(['watch', ...quickly], { folder });
    await again.saw(/"swf-mcp alarms" shows alarms/);
    await until(() => expect(lastLook(store.sql)).toBeGreaterThan(before));
    again.child.kill('SIGTERM');
    expect((await again.finished).stderr).not.toContain('raised');
  });

  it('retries a failing or hanging receiver until it has received each change', async () => {
    const folder = temporaryFolder();
    const hook = await startHook();
    hook.status = 503;
    const watching = startCli(['watch', '--webhook', hook.url, ...quickly], { folder });
    await failingRun(folder);
    await watching.saw(/WARNING webhook at .* was not notified of .*: it answered 503; retrying/);
    await runCli(['alarms', 'seen', 'SLICES_FAILED'], { folder });
    hook.status = 0;
    await until(() => expect(hook.hanging).toBe(1));
    watching.child.kill('SIGKILL');
    await watching.finished;
    hook.server.closeAllConnections();
    hook.status = 200;
    startCli(['watch', '--webhook', hook.url, ...quickly], { folder });
    await until(() =>
      expect(hook.told.map(({ id }) => id)).toEqual([`${failed}/raised`, `${failed}/seen`, `${failed}/cleared`]),
    );
  });

  it('loses no delivery if it is killed, and repeats a delivery only with the same id', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '1');
    const hook = await startHook();
    const store = await openStore(join(folder, 'swf.db'));
    onTestFinished(() => store.close());
    const said: string[] = [];
    const raise = async (n: number): Promise<void> => {
      const alarm = { code: 'STAGE_STUCK', subject: `e:${n}`, sentence: 'x', severity: 'error', count: 1 } as const;
      const recorded = await store.write((tx) =>
        recordEntry(store, tx, { msg_type: 'alarm_raised', ...alarm }, { execution_id: undefined, sender: 'test' }),
      );
      said.push(recorded.message_id);
    };
    const kills = rounds(6, 3);
    for (let n = 0; n <= kills; n += 1) {
      const watching = startCli(['watch', '--webhook', hook.url], { folder });
      await watching.saw(/^watching /m);
      await raise(n);
      await delay((n * 37) % 300);
      if (n === kills) break;
      watching.child.kill('SIGKILL');
      await watching.finished;
    }
    await until(() => expect(new Set(hook.told.map(({ id }) => id)).size).toBe(said.length));
    // The first deliveries are in order, and a repeated one has the same content.
    const first = [...new Map(hook.told.toReversed().map((one) => [one.id, one])).values()].toReversed();
    expect([...new Set(hook.told.map(({ id }) => id))]).toEqual(said);
    for (const one of hook.told) expect(first).toContainEqual(one);
  }, 600_000);

  it('refuses invalid options and says why', async () => {
    const folder = temporaryFolder();
    expect(await runCli(['watch', '--every', '86400'], { folder })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/'86400' is invalid. Give a whole number from 1 to 3600/),
    });
    for (const { args, line } of [
      {
        args: ['--webhook', 'testbed'],
        line: /^CONFIG_INVALID: the webhook is not a valid address; give https:/,
      },
      { args: ['--notify', './none'], line: /^ARGUMENT_INVALID: --notify .\/none cannot be run/ },
      {
        args: ['--set', 'watch.after.SLICE_FAILED=3'],
        line: /^CONFIG_INVALID: watch.after: no finding has the code "SLICE_FAILED"; the nearest is SLICES_FAILED;/,
      },
      { args: ['--set', 'watch.after.SLICES_FAILED=-1'], line: /^CONFIG_INVALID: .*watch.after.SLICES_FAILED/ },
    ])
      expect(await runCli(['watch', ...args], { folder })).toMatchObject({
        code: 78,
        stderr: expect.stringMatching(line),
      });
  });
});
