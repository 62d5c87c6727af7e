import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import { tools } from '../src/tools/index.ts';
import { send } from './commands/http-requests.ts';
import { connectHttp, runCli, startHttp, temporaryFolder } from './helpers.ts';
import { harmful, hostileText, makeHostile } from './hostile-store.ts';
import { hostilePayload } from './web/hostile-run.ts';

/** Markdown that would load an image or run code if it was rendered. */
const live = /(?<!\\)!\[|(?<!\\)<(?:img|script)|(?<!\\)\]\(/;

let folder = '';
/** A name with hostile characters, as it is in the store. */
let execution_id = '';
let stf = '';
let slice = '';

beforeAll(async () => {
  folder = temporaryFolder();
  const args = ['run', '--speed', 'max', '--stf-count', '3', ...hostilePayload(folder)];
  expect((await runCli(args, { folder })).code).toBe(3);
  for (const word of ['tester', 'torre2', 'geometry', '000001']) makeHostile(`${folder}/swf.db`, word);
  const rows = await asked('list_workflow_executions', {});
  execution_id = (rows[0] as { execution_id: string }).execution_id;
  expect(execution_id).toContain(String.raw`\u{202e}`);
  execution_id = 'latest';
  stf = `swf.100010.000001${hostileText}.stf`;
  slice = `swf.100010.000001${hostileText}_slice_003.tf`;
});

async function asked(tool: string, args: object): Promise<object[]> {
  const { stdout, stderr } = await runCli(['call', tool, JSON.stringify(args)], { folder });
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as { items: object[] }).items;
}

/** Each text in a value, and each name. */
function textsIn(value: unknown): string[] {
  const texts: string[] = [];
  JSON.stringify(value, (key, inner: unknown) => {
    texts.push(key, ...(typeof inner === 'string' ? [inner] : []));
    return inner;
  });
  return texts;
}

/** The answer that a client gets, or the text of its error. */
const answerOf = (request: Promise<object>): Promise<string> =>
  request.then(
    (answer) => JSON.stringify(answer),
    ({ message }: Error) => message,
  );

/** Checks each line of a document or of the output of a command. */
function expectHarmless(what: string, text: string): void {
  const found = text.split(/\r?\n/).flatMap((line) => {
    const at = line.search(harmful);
    return at < 0 ? [] : [line.slice(Math.max(0, at - 60), at + 5)];
  });
  expect({ what, found }).toEqual({ what, found: [] });
}

const argumentsOf: Readonly<Record<string, () => object[]>> = {
  compare_executions: () => [{ execution_ids: ['latest', 'latest'] }, {}],
  trace_data_product: () => [{ filename: stf }, { filename: slice }],
  query_store: () => [{ sql: 'SELECT * FROM v_attempts' }, { sql: 'SELECT * FROM v_logs' }, { sql: hostileText }],
  summarize: () => [
    { what: 'attempts', by: ['cause'] },
    { what: 'slices', by: ['worker'] },
  ],
};

describe('hostile texts', () => {
  it('from the store or a client come out of every tool as harmless text', async () => {
    const client = await connectHttp((await startHttp({ folder })).url);
    for (const { name, input } of tools) {
      const usual = 'execution_id' in input.shape ? [{ execution_id }] : [{}];
      // Each argument gets a hostile text.
      const wrong = Object.keys(input.shape).map((key) => ({ ...usual[0], [key]: hostileText }));
      const unknown = [{ [hostileText]: hostileText }];
      for (const args of [...(argumentsOf[name]?.() ?? usual), ...wrong, ...unknown]) {
        if (name === 'wait_for_execution') Object.assign(args, { timeout_seconds: 1 });
        const result = await client.callTool({ name, arguments: args });
        const shown = { ...(result.structuredContent as object), text: '' };
        for (const text of textsIn(shown))
          expect({ name, text }).toEqual({ name, text: expect.not.stringMatching(harmful) });
        expectHarmless(name, (result.content as { text: string }[])[0]?.text ?? '');
      }
    }
    const wrong = await client.callTool({ name: hostileText, arguments: {} });
    expectHarmless('a tool', JSON.stringify(wrong.content));
  });

  it('come out of resources, prompts and completions as harmless text, without live Markdown or HTML', async () => {
    const client = await connectHttp((await startHttp({ folder })).url);
    const { resources } = await client.listResources();
    for (const text of textsIn(resources)) expect(text).not.toMatch(harmful);
    for (const uri of ['swf://executions/latest/report', 'swf://shift/-8h']) {
      const { contents } = await client.readResource({ uri });
      const { text } = contents[0] as { text: string };
      expectHarmless(uri, text);
      expect(text).not.toMatch(live);
      expect(text).toContain('evil');
    }
    const encoded = encodeURIComponent(hostileText);
    for (const uri of [`swf://executions/${encoded}/report`, `swf://shift/${encoded}`, `swf://${hostileText}`])
      expectHarmless(uri, await answerOf(client.readResource({ uri })));
    for (const { name, arguments: args = [] } of (await client.listPrompts()).prompts) {
      const given = Object.fromEntries(args.map((argument) => [argument.name, hostileText]));
      expectHarmless(name, await answerOf(client.getPrompt({ name, arguments: given })));
    }
    expectHarmless('prompt', await answerOf(client.getPrompt({ name: hostileText })));
    for (const name of ['execution_id', 'namespace']) {
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name: 'why_failed' },
        argument: { name, value: '' },
      });
      expect(completion.values.length).toBeGreaterThan(0);
      for (const value of completion.values) expect(value).not.toMatch(harmful);
    }
  });

  it('come out of every HTTP path as harmless text', async () => {
    const { url } = await startHttp({ folder });
    const base = url.replace(/\/mcp$/, '');
    const encoded = encodeURIComponent(hostileText);
    for (const path of [
      '/metrics',
      '/healthz',
      '/workflow-executions/latest/',
      `/workflow-executions/${encoded}/`,
      `/${encoded}`,
    ]) {
      const { body } = await send(`${base}${path}`, { method: 'GET' });
      expectHarmless(path, body);
      if (body.startsWith('{')) for (const text of textsIn(JSON.parse(body))) expect(text).not.toMatch(harmful);
    }
    const latin = Buffer.from('x\u009B31m\u0085y', 'latin1').toString('latin1');
    for (const headers of [{ host: `a${latin}` }, { origin: `http://a${latin}` }]) {
      const { status, body } = await send(url, { headers });
      expect(status).toBe(403);
      expectHarmless('headers', body);
    }
  });

  it('come out of every command as harmless text', async () => {
    const commands = `status|list|slices|messages|logs|agents|files|report|check|tools|config --list|trace latest
      |summarize slices --group-by cause|summarize --group-by worker|report --since -8h|prune --keep 1 --dry-run|resume latest
      |stop latest|pause latest|status --json|list -o csv|slices -o json|doctor`
      .split('|')
      .map((words) => words.trim().split(' '));
    const withTarget = 'status trace report resume stop open run plan call backup agent'.split(' ');
    const hostile = [
      ...withTarget.map((command) => [command, hostileText]),
      [hostileText],
      ['trace', slice],
      ['stop', 'latest', '--reason', 'x'.repeat(400) + hostileText],
      ['run', '--set', `workflow.${hostileText}=1`],
      ['config', '--set', `workflow.description=${hostileText}`],
      ['config', hostileText],
      ['serve', '--http', hostileText],
      ['serve', `--${hostileText}`],
      ['--db', `/nowhere/${hostileText}/swf.db`, 'status'],
      ['call', 'list_logs', `level=${hostileText}`],
      ['call', 'list_logs', hostileText],
    ];
    for (const words of [...commands, ...hostile]) {
      const { stdout, stderr } = await runCli(words, { folder });
      expectHarmless(`${words.join(' ')} (stdout)`, stdout);
      expectHarmless(`${words.join(' ')} (stderr)`, stderr);
      expect(`${stdout}${stderr}`).not.toBe('');
      expect({ words, stderr }).toEqual({ words, stderr: expect.not.stringMatching(/has a bug/) });
    }
    // A printed configuration can be read back: its texts are the same.
    const { stdout } = await runCli(['config', '--set', `workflow.description=${hostileText}`], { folder });
    const { parse } = await import('@iarna/toml');
    expect((parse(stdout) as { workflow: { description: string } }).workflow.description).toBe(hostileText);
  });

  it('are harmless text in HTML and Markdown reports', async () => {
    const path = `${folder}/report.html`;
    expect(await runCli(['report', '--html', path], { folder })).toMatchObject({ code: 0 });
    const html = readFileSync(path, 'utf8');
    const data = JSON.parse(/id="data">(.*)<\/script>/.exec(html)?.[1] ?? '') as Record<string, unknown>;
    for (const text of textsIn(data)) expect(text).not.toMatch(harmful);
    expect(html.slice(0, html.indexOf('<style>'))).not.toMatch(/<script|<img/);
    for (const words of [['report'], ['report', '--since', '-8h']]) {
      const { stdout } = await runCli(words, { folder });
      expect(stdout).toContain('evil');
      expect(stdout).not.toMatch(live);
    }
  });
});
