import type { Command } from 'commander';

import type { PlanArguments } from './ask/plan.ts';
import type { HtmlArguments, ReportArguments } from './ask/report.ts';
import type { StatusArguments } from './ask/status.ts';
import type { WatchArguments } from './ask/watch.ts';
import { type Add, asOfOption, jsonOption, notifyOption, parseCount, type Run, setOption } from './shared/options.ts';

type StatusFlags = StatusArguments & WatchArguments & { watch: boolean };

/** The commands that only read. */
export function addQuestions(add: Add, run: Run) {
  add('status [EXECUTION_ID]', 'status of an execution (default: all running ones, else the newest)')
    .option('--watch', 'keep showing it until it has ended')
    .option('--all', 'all running executions; with --json as an array')
    .addOption(asOfOption())
    .addOption(notifyOption())
    .addOption(jsonOption())
    .action((executionId: string | undefined, { watch, ...flags }: StatusFlags, command: Command) => {
      if (watch && flags.asOf !== undefined)
        command.error('error: --watch shows what goes on, --as-of what was: give one');
      if (!watch && flags.notify !== undefined) command.error('error: --notify needs --watch');
      if (flags.all && (watch || executionId !== undefined))
        command.error('error: --all shows all executions at one moment: give neither --watch nor an id');
      return run(async (io) =>
        watch
          ? (await import('./ask/watch.ts')).watchCommand(io, executionId, flags)
          : (await import('./ask/status.ts')).statusCommand(io, executionId, flags),
      );
    });

  add('open [EXECUTION_ID]', 'the page in your browser, by the server of this store or by one of its own').action(
    (executionId: string | undefined) =>
      run(async (io) => (await import('./serve/open.ts')).openCommand(io, executionId)),
  );

  addReport(add, run);
  addPlan(add, run);
  addCalls(add, run);
}

type ReportFlags = Omit<ReportArguments & HtmlArguments, 'executionId' | 'file'> & { html?: string; markdown: boolean };

function addReport(add: Add, run: Run) {
  add(
    'report [EXECUTION_ID]',
    'a report of an execution, as Markdown or as a page in one file; with --since, of a period',
  )
    .option('--markdown', 'as Markdown (the default)')
    .option(
      '--html <FILE>',
      'one file for a browser or an email, with every attempt, and with error texts and their paths',
    )
    .option('--without-logs', 'without log lines, and without the error texts and traces of slices')
    .option('--force', 'replace the file')
    .option('--since <TIME>', 'of all executions alive since then: -8h, or ISO 8601')
    .option('--until <TIME>', 'up to then (default: now)')
    .option('--namespace <NAME>', 'of a period: only this namespace')
    .addOption(asOfOption())
    .action((executionId: string | undefined, { html, markdown, ...flags }: ReportFlags, command: Command) => {
      const { since, until, namespace } = flags;
      const isOfTime = [since, until, namespace].some((given) => given !== undefined);
      if (html !== undefined && (markdown || isOfTime))
        command.error('error: --html is of one execution: give neither --markdown nor a time');
      return run(async (io) =>
        html === undefined
          ? (await import('./ask/report.ts')).reportCommand(io, { executionId, ...flags })
          : (await import('./ask/report.ts')).htmlReportCommand(io, { executionId, file: html, ...flags }),
      );
    });
}

type PlanFlags = Omit<PlanArguments, 'config'> & { asPlayed?: string };

/** Plans of runs that have not begun, and of how a past run would have gone with other settings. */
function addPlan(add: Add, run: Run) {
  add('plan [CONFIG]', 'how a run would go, without running it: files, slices, bytes, time, workers')
    .option('--stf-count <N>', 'STF files per physics period; 0: as many as fit', parseCount)
    .option(
      '--as-played <EXECUTION_ID>',
      'replay a run with its own times; --set changes target_worker_count, slice_processing_time (a factor), stf_sampling_rate, without_worker or without_host (default: as it was)',
    )
    .addOption(setOption())
    .addOption(jsonOption())
    .action((config: string | undefined, { asPlayed, ...flags }: PlanFlags, command: Command) => {
      if (asPlayed !== undefined && (config !== undefined || flags.stfCount !== undefined))
        command.error('error: --as-played has the slices that came: give neither a configuration nor --stf-count');
      return run(async (io) =>
        asPlayed === undefined
          ? (await import('./ask/plan.ts')).planCommand(io, { config, ...flags })
          : (await import('./ask/plan.ts')).planAsPlayed(io, asPlayed, flags.sets, flags.json),
      );
    });
}

function addCalls(add: Add, run: Run) {
  add('config [CONFIG]', 'the effective configuration as TOML, with where each value came from')
    .addOption(setOption())
    .option('--list', 'list the available configurations with their files')
    .action((config: string | undefined, { sets, list }: { sets: string[]; list: boolean }) =>
      run(async (io) => {
        const { configCommand, listConfigs } = await import('./ask/config.ts');
        return list ? listConfigs(io) : configCommand(io, { config, sets });
      }),
    );

  add('call <TOOL> [ARGUMENTS...]', 'calls an MCP tool with key=value or JSON; prints its structured answer')
    .option('--yes', 'do not ask before a tool changes something')
    .addHelpText('after', '\nThe tools and their arguments: swf-mcp tools')
    .action((tool: string, words: string[], { yes }: { yes: boolean }) =>
      run(async (io) => (await import('./ask/call.ts')).callCommand(io, tool, { words, yes })),
    );

  add('tools [TOOL]', 'lists the MCP tools, or the arguments of one').action((tool: string | undefined) =>
    run(async (io) => (await import('./tables/tools.ts')).toolsCommand(io, tool)),
  );
}
