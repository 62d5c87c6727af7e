import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { codeOf, expectErrors } from '../codes.ts';
import { ask, connectHttp, refusal, runCli, startCli, startHttp, temporaryFolder } from '../helpers.ts';
import { isMissing } from '../programs.ts';
import { monitor, send } from './http-requests.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function tokenFile(folder: string, text: string, mode = 0o600): { SWF_MCP_TOKEN_FILE: string } {
  const path = join(folder, 'tokens');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return { SWF_MCP_TOKEN_FILE: path };
}

/** A self-signed certificate, and its key. */
function certificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...words, '-keyout', key, '-out', cert, '-subj', '/CN=localhost'], { stdio: 'ignore' });
  return { cert, key };
}

describe('the tokens of a server', () => {
  it('have a name, which a stop records, and a scope: a read token offers no control tools', async () => {
    const folder = temporaryFolder();
    const env = tokenFile(
      folder,
      '# who may use the server\nscreen read look-9431\n\nshift.leader control lead-1107\n',
    );
    const { url } = await startHttp({ folder, env }, '--allow-control');
    const reader = await connectHttp(url, bearer('look-9431'));
    const leader = await connectHttp(url, bearer('lead-1107'));
    const names = async (client: typeof reader) => (await client.listTools()).tools.map(({ name }) => name);
    expect(await names(reader)).not.toContain('control_workflow');
    expect(await names(leader)).toEqual([
      ...(await names(reader)),
      'add_note',
      'set_quality',
      'start_workflow',
      'control_workflow',
    ]);
    const { execution_id } = (await ask(leader, 'start_workflow', { speed: '20', stf_count: 300 })) as never;
    expect(codeOf(await refusal(leader, 'control_workflow', { execution_id, action: 'resume' }))).toBe(
      'EXECUTION_IN_USE',
    );
    const stop = { execution_id, action: 'stop', reason: 'end of shift' };
    expect(codeOf(await refusal(reader, 'control_workflow', stop))).toBe('TOOL_NOT_FOUND');
    expect(await ask(leader, 'control_workflow', { ...stop, requested_by: 'Ada' })).toMatchObject({
      effect: 'applied',
    });
    expect(await ask(reader, 'get_workflow_monitor', { execution_id })).toMatchObject({
      status: 'terminated',
      stopped_by: { name: 'Ada', claimed_by: 'Ada', reason: 'end of shift' },
    });
    expect(await ask(reader, 'list_messages', { execution_id, message_type: 'stop_workflow' })).toMatchObject({
      items: [{ sender_agent: 'shift.leader' }],
    });
    expect(await ask(reader, 'list_messages', { execution_id, message_type: 'run_workflow' })).toMatchObject({
      items: [{ sender_agent: 'shift.leader' }],
    });
    const { text } = (await ask(reader, 'shift_report', {})) as { text: string };
    expect(text).toMatch(/ shift\.leader started /);
    expect(text).toMatch(/ Ada \(as shift\.leader claims\) stopped /);
    expect((await send(url, { body: monitor, headers: bearer('look-9432') })).status).toBe(401);
  });

  it('are refused if other users can read their file or a line is invalid, and are never printed', async () => {
    const folder = temporaryFolder();
    const refused: [text: string, mode: number][] = [
      ['a read sesame-1\n', 0o640],
      ['a read sesame-1\n', 0o602],
      ['a look sesame-1\n', 0o600],
      ['a read\n', 0o600],
      ['\na read sesame-1 sesame-2\n', 0o600],
      ['a/b read sesame-1\n', 0o600],
      ['a read sesame-é\n', 0o600],
      ['a read sesame-1\nb read sesame-1\n', 0o600],
      ['a read sesame-1\na read sesame-2\n', 0o600],
      ['# nothing\n', 0o600],
      ['mcp read sesame-1\n', 0o600],
    ];
    const errors: Record<string, string> = {};
    for (const [text, mode] of refused) {
      const { code, stderr } = await runCli(['serve', '--http', '0'], { folder, env: tokenFile(folder, text, mode) });
      expect(code).toBe(1);
      expect(stderr).not.toContain('sesame');
      errors[`${mode.toString(8)} ${text.replaceAll('\n', '⏎')}`] = stderr;
    }
    await expectErrors('tokens', errors);
    const missing = await runCli(['serve', '--http', '0'], { folder, env: { SWF_MCP_TOKEN_FILE: 'none' } });
    expect(codeOf(missing.stderr)).toBe('CONFIG_INVALID');
    for (const name of ['SWF_MCP_TOKEN', 'SWF_MCP_TOKEN_FILE'])
      expect(codeOf((await runCli(['serve', '--http', '0'], { folder, env: { [name]: '' } })).stderr)).toBe(
        'CONFIG_INVALID',
      );
  });
});

describe('a server that other hosts can reach', () => {
  it.skipIf(isMissing('openssl'))(
    'requires TLS or a proxy, serves over TLS, and refuses an unusable certificate',
    async () => {
      const folder = temporaryFolder();
      const env = { SWF_MCP_TOKEN: 'sesame-opens-the-door' };
      const { cert, key } = certificate(folder);
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const clear = await runCli(['serve', '--http', '0.0.0.0:0'], { folder, env });
      expect(clear).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/in the clear; give --tls-cert and --tls-key, --behind-proxy/),
      });
      const server = startCli(['serve', '--http', '0.0.0.0:0', '--tls-cert', cert, '--tls-key', key], { folder, env });
      const url = (await server.saw(/MCP server at (https:\S+\/mcp),/)).replace('0.0.0.0', '127.0.0.1');
      const { port } = new URL(url);
      expect((await send(url, { body: monitor, headers: bearer('sesame-opens-the-door') })).status).toBe(200);
      expect((await send(url, { body: monitor })).status).toBe(401);
      const from = async (origin: string) =>
        (await send(url, { body: monitor, headers: { ...bearer('sesame-opens-the-door'), origin } })).status;
      expect(await from(`https://127.0.0.1:${port}`)).toBe(200);
      expect(await from(`http://127.0.0.1:${port}`)).toBe(403);
      const errors: Record<string, string> = {};
      for (const words of [
        ['--tls-cert', cert, '--tls-key', join(folder, 'none')],
        ['--tls-cert', key, '--tls-key', cert],
        ['--tls-cert', folder, '--tls-key', key],
        ['--tls-cert', '/dev/zero', '--tls-key', key],
        ['--tls-cert', pipe, '--tls-key', key],
      ]) {
        const { code, stderr } = await runCli(['serve', '--http', '0', ...words], { folder, env });
        expect({ words, code }).toEqual({ words, code: 1 });
        // The words of OpenSSL are its own.
        errors[words.join(' ').replaceAll(folder, 'FOLDER')] = stderr.replace(/\(error:.*\)/, '(OPENSSL)');
      }
      await expectErrors('certificates', errors);
      const alone = await runCli(['serve', '--http', '0', '--tls-cert', cert], { folder, env });
      expect(alone).toMatchObject({ code: 2, stderr: 'error: --tls-cert needs --tls-key\n' });
    },
  );

  it('accepts a forwarded host and scheme only with --behind-proxy, which needs a token', async () => {
    const folder = temporaryFolder();
    const env = { SWF_MCP_TOKEN: 'sesame-opens-the-door' };
    const forwarded = { 'x-forwarded-host': 'swf.example', 'x-forwarded-proto': 'https' };
    const statuses = async (url: string) => {
      const with_ = async (headers: Record<string, string>) =>
        (await send(url, { body: monitor, headers: { ...bearer('sesame-opens-the-door'), ...headers } })).status;
      return {
        proxied: await with_({ ...forwarded, origin: 'https://swf.example' }),
        otherScheme: await with_({ ...forwarded, origin: 'http://swf.example' }),
        otherHost: await with_({ ...forwarded, origin: 'https://evil.example' }),
      };
    };
    const behind = await startHttp({ folder, env }, '--behind-proxy');
    expect(await statuses(behind.url)).toEqual({ proxied: 200, otherScheme: 403, otherHost: 403 });
    const alone = await startHttp({ folder, env });
    expect(await statuses(alone.url)).toEqual({ proxied: 403, otherScheme: 403, otherHost: 403 });
    expect(codeOf((await runCli(['serve', '--http', '0', '--behind-proxy'], { folder })).stderr)).toBe(
      'CONFIG_INVALID',
    );
  });

  it('requires tokens that cannot be guessed', async () => {
    const folder = temporaryFolder();
    const start = async (args: string[], env: Record<string, string>) =>
      (await runCli(args, { folder, env: { ...env } })).stderr;
    const short = 'only-15-letters';
    const named = tokenFile(folder, `screen read ${short}\n`);
    expect(codeOf(await start(['serve', '--http', '0', '--behind-proxy'], { SWF_MCP_TOKEN: short }))).toBe(
      'CONFIG_INVALID',
    );
    expect(codeOf(await start(['serve', '--http', '0', '--behind-proxy'], named))).toBe('CONFIG_INVALID');
    expect(codeOf(await start(['serve-files', '0.0.0.0:0'], { SWF_FILES_TOKEN: short }))).toBe('CONFIG_INVALID');
    const api = ['observe', '--broker', 'stomp://127.0.0.1:1', '--api', '0.0.0.0:0'];
    expect(await start(api, { SWF_MONITOR_TOKEN: short })).toMatch(/^CONFIG_INVALID: --api /m);
  });

  it('names the option that another option requires', async () => {
    for (const words of [['--behind-proxy'], ['--tls-cert', 'x'], ['--open']]) {
      const { code, stderr } = await runCli(['serve', ...words], { folder: temporaryFolder() });
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(new RegExp(`${words[0]} needs --http`)),
      });
    }
  });
});

describe('control options', () => {
  it('are refused without --allow-control', async () => {
    for (const words of [['--insecure-local'], ['--max-runs', '2']]) {
      const { code, stderr } = await runCli(['serve', '--http', '0', ...words], { folder: temporaryFolder() });
      expect({ code, stderr }).toEqual({ code: 2, stderr: `error: ${words[0]} needs --allow-control\n` });
    }
  });
});

describe('the runs that a client may start', () => {
  it('are limited in number, even if twenty requests arrive at once', async () => {
    const folder = temporaryFolder();
    const { url } = await startHttp({ folder }, '--allow-control', '--insecure-local', '--max-runs', '2');
    const client = await connectHttp(url);
    const results = await Promise.all(
      Array.from({ length: 20 }, () =>
        client.callTool({ name: 'start_workflow', arguments: { speed: '20', stf_count: 400 } }),
      ),
    );
    const begun = results.filter(({ isError }) => isError !== true);
    const refused = results.filter(({ isError }) => isError === true);
    expect({ begun: begun.length, refused: refused.length }).toEqual({ begun: 2, refused: 18 });
    for (const { content } of refused)
      expect(codeOf((content as { text: string }[])[0]?.text ?? '')).toBe('ARGUMENT_INVALID');
    const [one] = begun.map(({ structuredContent }) => structuredContent as { execution_id: string });
    const { execution_id = '' } = one ?? {};
    await ask(client, 'control_workflow', { execution_id, action: 'stop' });
    await ask(client, 'wait_for_execution', { execution_id, until: 'end', timeout_seconds: 20 });
    const again = (await ask(client, 'start_workflow', { speed: '20', stf_count: 400 })) as { execution_id: string };
    for (const { structuredContent } of [...begun.slice(1), { structuredContent: again }])
      await ask(client, 'control_workflow', {
        execution_id: (structuredContent as { execution_id: string }).execution_id,
        action: 'stop',
      });
  });

  it('are limited in size, and a refusal states the limit', async () => {
    const folder = temporaryFolder();
    const { url } = await startHttp({ folder }, '--allow-control', '--insecure-local');
    const client = await connectHttp(url);
    const errors: Record<string, string> = {};
    for (const args of [
      { stf_count: 60_000, slices_per_sample: 1 },
      { stf_count: 1_000_000_000 },
      { stf_count: 50_000, slices_per_sample: 1000 },
      { stf_count: 40_000, stf_interval: 60, slices_per_sample: 1 },
      { physics_period_count: 0 },
    ])
      errors[JSON.stringify(args)] = await refusal(client, 'start_workflow', args);
    await expectErrors('start-limits', errors);
    expect(await ask(client, 'list_workflow_executions', {}).catch(String)).toMatch(/no store|STORE_UNAVAILABLE/);
  });
});
