import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { recordEntry } from '../../src/db/logbook/entries.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { codeOf } from '../codes.ts';
import {
  runWorkflowProcess,
  ask,
  connectHttp,
  connectStdio,
  refusal,
  runCli,
  runWorkflow,
  startCli,
  startHttp,
  temporaryFolder,
} from '../helpers.ts';
import { send } from './http-requests.ts';

const id = 'stf_datataking-tester-0001';

async function folderWithRuns(count = 1): Promise<string> {
  const folder = temporaryFolder();
  for (let n = 0; n < count; n += 1) await runWorkflowProcess(folder, '--stf-count', '1');
  return folder;
}

/** Raises an alarm as the watcher does. */
async function raise(folder: string, about: string): Promise<void> {
  const store = await openStore(join(folder, 'swf.db'));
  onTestFinished(() => store.close());
  const sentence = 'silent since 2026-12-01T01:02:03.456Z';
  const alarm = { code: 'STAGE_STUCK', subject: `${id}:${about}`, sentence, severity: 'error', count: 1 } as const;
  await store.write((tx) =>
    recordEntry(store, tx, { msg_type: 'alarm_raised', ...alarm }, { execution_id: id, sender: 'watch' }),
  );
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('a note and a quality', () => {
  it('written in a terminal appear in the monitor, lists, reports and log, and survive a replay', async () => {
    const folder = await folderWithRuns(2);
    const cli = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runCli(args, { folder });
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return stdout;
    };
    expect(
      await cli('note', id, 'the *beam* was off\u202E', '--at', '-10m', '--about', 'DAQ', '--requested-by', 'Ana'),
    ).toMatch(new RegExp(`^note/\\S+ was written about ${id}, for \\d{4}-\\d\\d-\\d\\d \\S+ UTC\n$`));
    await cli('note', 'none', 'call the expert', '--for-next');
    expect(await cli('quality', id, 'bad', '--reason', 'no beam')).toBe(`set the quality of ${id} to bad\n`);
    expect(await cli('quality', id, 'test', '--reason', 'it was a drill')).toBe(
      `set the quality of ${id} to test (was bad)\n`,
    );
    const client = await connectStdio({ folder });
    const monitor = await ask(client, 'get_workflow_monitor', { execution_id: id });
    expect(monitor).toMatchObject({
      quality: { value: 'test', reason: 'it was a drill', author: 'tester' },
      notes: [{ text: String.raw`the *beam* was off\u{202e}`, author: 'Ana (as tester claims)', about: 'DAQ' }],
    });
    expect(Date.now() - Date.parse(monitor['notes'][0].at)).toBeGreaterThan(590_000);
    const list = async (args: object): Promise<string[]> =>
      ((await ask(client, 'list_workflow_executions', { ...args }))['items'] as { execution_id: string }[]).map(
        ({ execution_id }) => execution_id.slice(-1),
      );
    expect(await list({ quality: 'test' })).toEqual(['1']);
    expect(await list({ quality: 'none' })).toEqual(['2']);
    expect(await list({ search: 'BEAM drill' })).toEqual(['1']);
    expect(await list({ search: 'expert' })).toEqual([]);
    expect(await list({ config: 'fast_processing_default' })).toEqual(['2', '1']);
    expect(await list({ config: 'histogram' })).toEqual([]);
    expect(await cli('status', id)).toMatch(/^ {2}quality {5}test: it was a drill \(tester, /m);
    expect(await cli('report', id)).toMatch(
      /^- quality: test: it was a drill \(tester, .*\)\n- note: .* Ana \(as tester claims\), DAQ: the \\\*beam\\\* was off/m,
    );
    expect(await cli('list')).toMatch(/QUALITY[\s\S]*test/);
    const { items } = await ask(client, 'list_messages', { message_type: 'note', order: 'oldest' });
    expect(items).toMatchObject([
      { sender_agent: 'tester', namespace: 'torre2', effect: 'applied', execution_id: id },
      { namespace: 'none', effect: 'applied' },
    ]);
    expect(items[1]).not.toHaveProperty('execution_id');
    expect(await cli('quality', id, 'none', '--reason', 'a mistake')).toBe(`cleared the quality of ${id} (was test)\n`);
    expect(await ask(client, 'get_workflow_monitor', { execution_id: id })).not.toHaveProperty('quality');
    expect(await cli('check', '--deep')).toMatch(/^ok {4}log {8}a replay gives the same rows$/m);
    // They are removed with their execution.
    await cli('prune', '--keep', '1');
    expect(await list({ search: 'beam' })).toEqual([]);
    expect((await ask(client, 'query_store', { sql: 'SELECT text FROM v_notes' }))['rows']).toEqual([
      ['call the expert'],
    ]);
  });

  it('protect their execution from prune if the note is recent and for the next shift', async () => {
    const folder = await folderWithRuns(2);
    await runCli(['note', id, 'look at this', '--for-next'], { folder });
    const prune = async (): Promise<string> => (await runCli(['prune', '--keep', '0'], { folder })).stdout;
    expect(await prune()).toMatch(/^removed stf_datataking-tester-0002,.*\n1 execution removed/);
    const store = await openStore(join(folder, 'swf.db'));
    await store.write(({ sql }) => sql(`UPDATE notes SET written_at = '2026-01-01T00:00:00.000Z'`).run());
    store.close();
    expect(await prune()).toMatch(/^removed stf_datataking-tester-0001,/);
  });

  it('written on a host whose clock is ahead do not change the times of later messages', async () => {
    const folder = temporaryFolder();
    const run = startCli(['run', '--stf-count', '8', '--speed', '20'], { folder });
    await run.saw(/start_run/);
    run.child.kill('SIGKILL');
    await run.finished;
    await runCli(['note', id, 'gone'], { folder });
    const store = await openStore(join(folder, 'swf.db'));
    onTestFinished(() => store.close());
    await store.write(({ sql }) =>
      sql(`UPDATE message_rows SET recorded_ms = recorded_ms + 3600000 WHERE (rare & 32) <> 0`).run(),
    );
    expect(await runCli(['resume', 'latest', '--speed', 'max'], { folder })).toMatchObject({ code: 0 });
    await runCli(['note', 'none', 'a quiet night'], { folder });
    await store.write(({ sql }) =>
      sql(`UPDATE message_rows SET recorded_ms = recorded_ms + 3600000 WHERE execution_no IS NULL`).run(),
    );
    await runWorkflow(folder, '--stf-count', '1');
    const newest = store.sql<[], { at: number }>(
      `SELECT max(recorded_ms) AS at FROM message_rows WHERE (rare & 32) IS NOT 32`,
    );
    expect(newest.get()?.at).toBeLessThan(Date.now() + 60_000);
    const { stdout } = await runCli(['status', 'latest', '--json'], { folder });
    expect(stdout).not.toContain('CLOCK_OFF');
  });

  it('are refused, with the reason, if they are empty, invalid or about an unknown execution', async () => {
    const folder = await folderWithRuns();
    for (const { args, line, code = 1 } of [
      { args: ['note', 'e-1', 'x'], line: /^EXECUTION_NOT_FOUND: there is no execution "e-1"/ },
      { args: ['note', id, ' '], line: /^ARGUMENT_INVALID: text = " ": must not be empty/, code: 2 },
      {
        args: ['note', id, 'x', '--at', '2999-01-01T00:00:00Z'],
        line: /^ARGUMENT_INVALID: --at 2999.* is in the future/,
      },
      { args: ['note', id, 'x', '--at', 'soon'], line: /^ARGUMENT_INVALID: --at "soon"/, code: 2 },
      {
        args: ['quality', id, 'goood', '--reason', 'x'],
        line: /^ARGUMENT_INVALID: value = "goood": .*good.*bad.*test.*none/,
        code: 2,
      },
      { args: ['note', id, 'x', '--about', ''], line: /^ARGUMENT_INVALID: --about "": must not be empty/, code: 2 },
      { args: ['alarms', 'seen', ''], line: /^ARGUMENT_INVALID: the alarm name is empty/ },
      {
        args: ['note', id, 'x', '--requested-by', ''],
        line: /^ARGUMENT_INVALID: --requested-by "": must not be empty/,
        code: 2,
      },
      { args: ['alarms', 'seen', 'X'], line: /^ARGUMENT_INVALID: there is no alarm "X", and none has been raised yet/ },
    ])
      expect({ args, ...(await runCli(args, { folder })) }).toMatchObject({
        args,
        code,
        stderr: expect.stringMatching(line),
      });
    expect(await runCli(['quality', id, 'bad'], { folder })).toMatchObject({ code: 2 });
  });

  it('appear in answers about the past only from the time at which they were recorded', async () => {
    const folder = await folderWithRuns();
    const client = await connectStdio({ folder });
    const exact = async (): Promise<string> =>
      (await ask(client, 'get_workflow_monitor', { execution_id: id }))['as_of_exact'] as string;
    const before = await exact();
    await runCli(['note', id, 'first'], { folder });
    await raise(folder, 'data');
    const between = await exact();
    await runCli(['quality', id, 'good', '--reason', 'fine'], { folder });
    await runCli(['alarms', 'seen', 'STAGE'], { folder });
    const standing = async (as_of: string): Promise<unknown[]> => {
      const { notes = [], quality } = await ask(client, 'get_workflow_monitor', { execution_id: id, as_of });
      const { items } = await ask(client, 'list_alarms', { as_of });
      return [notes.length, quality?.value, items.map(({ state }: { state: string }) => state)];
    };
    expect(await standing(before)).toEqual([0, undefined, []]);
    expect(await standing(between)).toEqual([1, undefined, ['raised']]);
    expect(await standing(await exact())).toEqual([1, 'good', ['seen']]);
    expect(await standing(between)).toEqual([1, undefined, ['raised']]);
  });
});

describe('executions', () => {
  it('are found by failures, STF count, configuration, payload and origin', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const payload = join(folder, 'track.sh');
    writeFileSync(payload, '#!/bin/sh\nexit 3\n');
    chmodSync(payload, 0o755);
    writeFileSync(join(folder, 'night.toml'), '[testbed]\nnamespace = "night"\n');
    const failing = ['--set', `worker.payload=["${payload}","s3cret"]`, '--set', 'worker.max_retries=0'];
    await runCli(['run', 'night.toml', '--stf-count', '1', '--speed', 'max', ...failing], { folder });
    const client = await connectStdio({ folder });
    const found = async (args: object): Promise<string[]> =>
      ((await ask(client, 'list_workflow_executions', { ...args }))['items'] as { execution_id: string }[]).map(
        ({ execution_id }) => execution_id.slice(-1),
      );
    expect(await found({ has_failures: true })).toEqual(['2']);
    expect(await found({ has_failures: false })).toEqual(['1']);
    expect(await found({ min_stf_count: 2 })).toEqual(['1']);
    expect(await found({ config: 'night.toml' })).toEqual(['2']);
    expect(await found({ config: 'night' })).toEqual([]);
    expect(await found({ payload: 'TRACK' })).toEqual(['2']);
    expect(await found({ payload: 'placeholder' })).toEqual(['1']);
    expect(await found({ payload: 's3cret' })).toEqual([]);
    expect(await found({ origin: 'own' })).toEqual(['2', '1']);
    expect(await found({ origin: 'observed' })).toEqual([]);
    const table = await runCli(['list', '--has-failures', 'true'], { folder });
    expect(table.stdout).toMatch(/0002 /);
    expect(table.stdout).not.toMatch(/0001 /);
  });
});

describe('alarms', () => {
  it('are listed unseen first, and can be marked as seen by a prefix of their id', async () => {
    const folder = await folderWithRuns();
    await raise(folder, 'data');
    await raise(folder, 'worker');
    expect(await runCli(['alarms', 'seen', 'STAGE_STUCK'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^ARGUMENT_INVALID: 2 .*"STAGE_STUCK".*:worker, .*:data/),
    });
    expect((await runCli(['alarms', 'seen', `STAGE_STUCK/${id}:w`], { folder })).stdout).toMatch(
      /:worker is now marked as seen by tester\n$/,
    );
    expect(
      (await runCli(['alarms', 'seen', `STAGE_STUCK/${id}:worker`, '--requested-by', 'bo'], { folder })).stdout,
    ).toMatch(/:worker was already marked as seen by tester\n$/);
    const { stdout } = await runCli(['alarms'], { folder });
    expect(stdout.split('\n').map((line) => /(raised|seen) .*-\d+:(\w+)/.exec(line)?.slice(1))).toEqual([
      undefined,
      ['raised', 'data'],
      ['seen', 'worker'],
      undefined,
    ]);
    expect(stdout).toContain('  silent since 2026-12-01 01:02:03 UTC');
    const json = JSON.parse((await runCli(['alarms', '--state', 'seen', '-o', 'json'], { folder })).stdout) as object[];
    expect(json).toMatchObject([{ state: 'seen', seen_by: 'tester', count: 1 }]);
  });
});

describe('a token with scope note', () => {
  it('writes to the logbook under its name but controls nothing; a read token cannot write', async () => {
    const folder = await folderWithRuns();
    await raise(folder, 'data');
    const tokens = join(folder, 'tokens');
    writeFileSync(tokens, 'screen read look-1\nana note write-1\nlead control lead-1\n', { mode: 0o600 });
    const { url } = await startHttp({ folder, env: { SWF_MCP_TOKEN_FILE: tokens } }, '--allow-control');
    const [reader, writer, leader] = [
      await connectHttp(url, bearer('look-1')),
      await connectHttp(url, bearer('write-1')),
      await connectHttp(url, bearer('lead-1')),
    ];
    const more = async (client: typeof reader): Promise<string[]> =>
      (await client.listTools()).tools
        .filter(({ annotations }) => annotations?.readOnlyHint !== true)
        .map(({ name }) => name);
    expect(await more(reader)).toEqual([]);
    expect(await more(writer)).toEqual(['add_note', 'set_quality']);
    expect(await more(leader)).toEqual(['add_note', 'set_quality', 'start_workflow', 'control_workflow']);
    expect(codeOf(await refusal(reader, 'add_note', { execution_id: id, text: 'x' }))).toBe('TOOL_NOT_FOUND');
    expect(await ask(writer, 'set_quality', { execution_id: 'latest', value: 'good', reason: 'fine' })).toMatchObject({
      value: 'good',
      was: 'none',
    });
    await ask(writer, 'add_note', { execution_id: id, text: 'all well', requested_by: 'Bo' });
    expect(await ask(reader, 'get_workflow_monitor', { execution_id: id })).toMatchObject({
      quality: { author: 'ana' },
      notes: [{ author: 'Bo (as ana claims)' }],
    });
    const seen = (token: string, body: object) =>
      send(url.replace(/mcp$/, 'alarms/seen'), { body: JSON.stringify(body), headers: bearer(token) });
    const alarm_id = `STAGE_STUCK/${id}:data`;
    expect(await seen('look-1', { alarm_id })).toMatchObject({
      status: 403,
      body: expect.stringContaining('scope is note'),
    });
    expect(await seen('write-1', { alarm: alarm_id })).toMatchObject({ status: 400 });
    expect(await seen('write-1', { alarm_id: 'STAGE_STUCK/other' })).toMatchObject({ status: 404 });
    expect(JSON.parse((await seen('write-1', { alarm_id, text: 'I look' })).body)).toEqual({
      alarm_id,
      seen_by: 'ana',
      is_over: false,
      is_new: true,
    });
    expect(JSON.parse((await seen('lead-1', { alarm_id })).body)).toMatchObject({ seen_by: 'ana', is_new: false });
    expect(await ask(reader, 'list_alarms', {})).toMatchObject({
      items: [{ alarm_id, state: 'seen', seen_by: 'ana', seen_text: 'I look' }],
    });
  });

  it('is required for writing over HTTP unless control is allowed', async () => {
    const folder = await folderWithRuns();
    await raise(folder, 'data');
    const { url } = await startHttp({ folder });
    const client = await connectHttp(url);
    expect(codeOf(await refusal(client, 'add_note', { execution_id: id, text: 'x' }))).toBe('TOOL_NOT_FOUND');
    const answer = await send(url.replace(/mcp$/, 'alarms/seen'), { body: JSON.stringify({ alarm_id: 'STAGE' }) });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('swf-mcp alarms seen ID') });
    const open = await startHttp({ folder }, '--allow-control', '--insecure-local');
    const allowed = await connectHttp(open.url);
    await ask(allowed, 'add_note', { execution_id: id, text: 'x' });
  });
});
