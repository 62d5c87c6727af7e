import type { HtmlArguments, ReportArguments } from './ask/report.ts';
import type { StatusArguments } from './ask/status.ts';
import type { WatchArguments } from './ask/watch.ts';
import { type Add, asOfOption, jsonOption, notifyOption, parseCount, setOption } from './shared/options.ts';

type StatusFlags = StatusArguments & WatchArguments & { watch: boolean };

/** The commands that only read. */
export function addQuestions(add: Add) {
  add(
    'status [EXECUTION_ID]',
    'show the status of an execution (default: the newest 20 running ones, or the newest if none is running)',
    [
      ['--watch', 'update the view until the execution ends'],
      ['--all', 'show the newest 20 running executions; with --json, as an array'],
      asOfOption(),
      notifyOption(),
      jsonOption(),
    ],
    async ({ watch }: StatusFlags) =>
      watch ? (await import('./ask/watch.ts')).watchCommand : (await import('./ask/status.ts')).statusCommand,
    {
      needs: { '--notify': ['--watch'] },
      excludes: { '--watch': ['--as-of'], '--all': ['--watch', 'EXECUTION_ID'] },
    },
  );

  add(
    'open [EXECUTION_ID]',
    'open the web page in your browser, starting a server if none serves this store',
    [],
    async () => (await import('./serve/open.ts')).openCommand,
  );

  addReport(add);
  addPlan(add);
  addCalls(add);
}

type ReportFlags = ReportArguments & Omit<HtmlArguments, 'html'> & { html?: string };

/** The flags that name a period. */
const period = ['--since', '--until', '--namespace'];

function addReport(add: Add) {
  add(
    'report [EXECUTION_ID]',
    'report on an execution (Markdown or HTML) or, with --since, on a period (Markdown)',
    [
      ['--markdown', 'print Markdown (the default)'],
      ['--html <FILE>', 'write one self-contained HTML file, with every attempt, error text and path'],
      ['--without-logs', 'leave out log lines, and the error texts, outputs and paths of slices'],
      ['--force', 'overwrite the file'],
      ['--since <TIME>', 'report on all executions active since this time: -8h, or ISO 8601'],
      ['--until <TIME>', 'end of the period (default: now)'],
      ['--namespace <NAME>', 'with --since: only this namespace'],
      asOfOption(),
    ],
    async ({ html }: ReportFlags) => {
      const { htmlReportCommand, reportCommand } = await import('./ask/report.ts');
      return html === undefined ? reportCommand : (io, args) => htmlReportCommand(io, { ...args, html });
    },
    {
      excludes: { '--html': ['--markdown', ...period], EXECUTION_ID: period },
    },
  );
}

/** The command that plans a run, or predicts how a past run would have gone with different settings. */
function addPlan(add: Add) {
  add(
    'plan [CONFIG]',
    'predict a run without running it: files, slices, bytes, time, workers',
    [
      ['--stf-count <N>', 'STF files per physics period; 0: as many as fit in it', parseCount],
      [
        '--as-played <EXECUTION_ID>',
        'replay a past run using its measured times; change a setting with --set: target_worker_count, slice_processing_time (a factor), stf_sampling_rate, without_worker or without_host (default: unchanged)',
      ],
      setOption(),
      jsonOption(),
    ],
    async () => (await import('./ask/plan.ts')).planCommand,
    {
      excludes: { '--as-played': ['CONFIG', '--stf-count'] },
    },
  );
}

function addCalls(add: Add) {
  add(
    'config [CONFIG]',
    'print the effective configuration as TOML, with the source of each value',
    [setOption(), ['--list', 'list the available configurations with their files']],
    async () => (await import('./ask/config.ts')).configCommand,
  );

  add(
    'call <TOOL> [ARGUMENTS...]',
    'call an MCP tool with key=value or JSON arguments, and print its structured answer',
    [['--yes', 'do not ask for confirmation if the tool changes something']],
    async () => (await import('./ask/call.ts')).callCommand,
  ).addHelpText('after', '\nThe tools and their arguments: swf-mcp tools');

  add(
    'tools [TOOL]',
    'list the MCP tools, or the arguments of one',
    [],
    async () => (await import('./tables/tools.ts')).toolsCommand,
  );
}
