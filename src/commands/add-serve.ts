import type { Command } from 'commander';

import { unknownCommand } from './help/unknown-command.ts';
import type { ServeArguments } from './serve/serve.ts';
import type { Std } from './shared/io.ts';
import { parsePositive, type Run } from './shared/options.ts';

type ServeFlags = Omit<ServeArguments, 'open'> & { open: boolean };

/** The server, which is also started without any command. */
export function addServe(program: Command, std: Std, run: Run): void {
  program
    .command('serve', { isDefault: true })
    .description('MCP server on stdio (also without a command), or over HTTP')
    .option(
      '--http <[HOST:]PORT>',
      'serve Streamable HTTP at /mcp (default host: 127.0.0.1; others need a token, and TLS or a proxy)',
    )
    .option('--open', 'show the page in your browser (needs --http)')
    .option('--read-only', 'offer no tool that changes anything, not even notes')
    .option('--allow-control', 'offer tools that start, pause, continue and stop executions')
    .option(
      '--max-runs <N>',
      'a tool starts a run only while fewer than this are under way (default: 4)',
      parsePositive,
    )
    .option(
      '--insecure-local',
      'let every user of this machine use tools that change something over HTTP, without a token',
    )
    .option('--tls-cert <FILE>', 'speak TLS with this certificate, a PEM file (needs --tls-key)')
    .option('--tls-key <FILE>', 'the key of the certificate, a PEM file')
    .option('--behind-proxy', 'a proxy in front speaks TLS and sets X-Forwarded headers')
    .allowExcessArguments()
    .action((flags: ServeFlags, command: Command) => {
      refuseUnknownCommand(program, command);
      if (flags.readOnly && flags.allowControl)
        command.error('error: --read-only and --allow-control contradict each other');
      if (!flags.allowControl) requireControl(command, flags);
      if (flags.http === undefined) requireHttp(command, flags);
      const args = { ...flags, open: flags.open ? '#/' : undefined };
      return run(async (io) => (await import('./serve/serve.ts')).serveCommand(io, args, std));
    });
}

/** Rejects options that mean nothing to a server without control. */
function requireControl(command: Command, { insecureLocal, maxRuns }: ServeFlags): void {
  const given = insecureLocal ? '--insecure-local' : maxRuns === undefined ? undefined : '--max-runs';
  if (given !== undefined) command.error(`error: ${given} needs --allow-control`);
}

/** Rejects options that mean nothing on stdio: the user has forgotten `--http`. */
function requireHttp(command: Command, flags: ServeFlags): void {
  const { open, insecureLocal, tlsCert, tlsKey, behindProxy } = flags;
  if (open) command.error('error: --open needs --http; or use "swf-mcp open"');
  const given = [
    insecureLocal && '--insecure-local',
    tlsCert !== undefined && '--tls-cert',
    tlsKey !== undefined && '--tls-key',
    behindProxy && '--behind-proxy',
  ].find(Boolean);
  if (given) command.error(`error: ${given} needs --http`);
}

/** Without a command the server starts, so a mistyped command arrives there as an argument. */
function refuseUnknownCommand(program: Command, serve: Command): void {
  const [word] = serve.args;
  if (word === undefined) return;
  if (word === serve.name()) serve.error(`error: options stand behind the command: swf-mcp ${word} …`);
  serve.error(unknownCommand(program, word));
}
