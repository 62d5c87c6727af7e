import { describe, expect, it } from 'vitest';

import { createLogLineWriter } from '../../src/db/log/log-lines.ts';
import { ask, connectInProcess, makeRunningStore, refusal } from '../helpers.ts';

/** Texts that could do more than be read: move a cursor, add colour, reverse text, hide it, or begin their own line. */
const nasty = [
  'escape \u001B[2J\u001B]0;title\u0007',
  'right to left \u202Etxt.exe\u202C and isolated \u2066a\u2069',
  'hidden \u200B\u200C\u200D\u2060\uFEFF\u00AD',
  'tags \u{E0041}\u{E0042}',
  'lines\n2026-11-25T00:00:00Z ERROR driver: the execution failed\r\nand separators \u2028\u2029',
  'drawn as nothing \u115F\u3164\uFFA0\u034F\u2800\uFE0F and private \uE000\u{F0000}',
  'controls \u0000\u0008\u007F\u0085\u009B31m',
];
const harmful = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

describe('texts of messages and logs', () => {
  it('are returned without control or invisible characters', async () => {
    const made = await makeRunningStore();
    const writeLog = createLogLineWriter('INFO');
    const execution_id = 'stf_datataking-tester-0001';
    for (const text of nasty) {
      await made.store.write((tx) => {
        writeLog(tx, { level: 'ERROR', message: text, context: { [text]: text } }, { agent: text, execution_id });
        made.receive(
          tx,
          '/topic/epictopic',
          JSON.stringify({ msg_type: text, sender: text, namespace: text, execution_id, note: text }),
        );
        made.receive(tx, '/topic/epictopic', text);
      });
    }
    await made.say('stop_workflow', { command_id: 'c', reason: nasty[0] });
    const client = await connectInProcess(made.path);
    for (const [name, args] of [
      ['list_logs', {}],
      ['list_messages', { limit: 200 }],
      ['get_workflow_monitor', { execution_id }],
      ['audit_execution', { execution_id }],
      ['list_agents', { include_exited: true }],
    ] as const) {
      const result = await client.callTool({ name, arguments: args });
      const text = (result.content as { text: string }[])[0]?.text ?? '';
      expect(text).not.toMatch(harmful);
      const strings: string[] = [];
      JSON.parse(
        text,
        (key, value: unknown) => (strings.push(key, ...(typeof value === 'string' ? [value] : [])), value),
      );
      for (const one of strings) expect(one).not.toMatch(harmful);
    }
    const { items } = await ask(client, 'list_logs', { order: 'oldest' });
    expect(items.map(({ message }: { message: string }) => message)).toContain(
      String.raw`escape \u{1b}[2J\u{1b}]0;title\u{7}`,
    );
    expect(items).toHaveLength(nasty.length);
    // An error repeats what a client sent.
    expect(await refusal(client, 'list_logs', { level: nasty[0] })).not.toMatch(harmful);
    const report = await client.readResource({ uri: `swf://executions/${execution_id}/report` });
    expect((report.contents[0] as { text: string }).text.replaceAll('\n', '')).not.toMatch(harmful);
  });

  it('stay within the size limits even with ten thousand control or invisible characters', async () => {
    const made = await makeRunningStore();
    const writeLog = createLogLineWriter('INFO');
    await made.store.write((tx) => {
      for (let line = 0; line < 30; line += 1)
        writeLog(
          tx,
          { level: 'ERROR', message: '\u202E'.repeat(10_000), context: { x: '\u0007'.repeat(10_000) } },
          { agent: 'a', execution_id: 'stf_datataking-tester-0001' },
        );
      made.receive(tx, '/topic/epictopic', '\u0000'.repeat(100_000));
    });
    const client = await connectInProcess(made.path);
    for (const name of ['list_logs', 'list_messages'])
      expect(JSON.stringify(await ask(client, name, { limit: 200 })).length).toBeLessThanOrEqual(25_000);
    expect(
      Buffer.byteLength(JSON.stringify(await ask(client, 'get_workflow_monitor', { execution_id: 'latest' }))),
    ).toBeLessThanOrEqual(8192);
    const { items } = await ask(client, 'list_messages', { message_type: 'unreadable' });
    expect(
      JSON.stringify(await ask(client, 'list_messages', { message_id: items[0].message_id })).length,
    ).toBeLessThanOrEqual(25_000);
  });
});

describe('resources, prompts and completion', () => {
  it('offer execution reports, prompts for common tasks, and execution ids', async () => {
    const made = await makeRunningStore();
    const client = await connectInProcess(made.path);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'swf://executions/{execution_id}/report',
      'swf://shift/{since}',
    ]);
    const { contents } = await client.readResource({ uri: 'swf://executions/latest/report' });
    expect(contents[0]).toMatchObject({
      mimeType: 'text/markdown',
      text: expect.stringMatching(
        /^# stf_datataking-tester-0001, run 100010\n\nrunning, health progressing\n\n- run: 100010, phase physics, /,
      ),
    });
    await expect(client.readResource({ uri: 'swf://executions/no/report' })).rejects.toThrow(
      /EXECUTION_NOT_FOUND: there is no execution "no"/,
    );
    await expect(client.readResource({ uri: 'file:///etc/passwd' })).rejects.toThrow(
      /there is no resource file:\/\/\/etc\/passwd/,
    );
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual([
      'testbed_ready',
      'watch_run',
      'why_failed',
      'begin_shift',
      'what_happened',
      'shift_handover',
    ]);
    const { messages } = await client.getPrompt({ name: 'shift_handover', arguments: { since: '-24h' } });
    expect(messages).toMatchObject([{ role: 'user', content: { text: expect.stringContaining('since -24h') } }]);
    await expect(client.getPrompt({ name: 'nothing' })).rejects.toThrow(
      /there is no prompt nothing; the prompts are testbed_ready/,
    );
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'why_failed' },
      argument: { name: 'execution_id', value: 'stf' },
    });
    expect(completed.completion).toMatchObject({ values: ['stf_datataking-tester-0001'], hasMore: false });
    expect(client.getInstructions()?.length).toBeLessThan(2000);
  });
});
