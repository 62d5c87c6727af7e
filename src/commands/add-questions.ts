import type { Command } from 'commander';

import { type Add, asOfOption, jsonOption, notifyOption, parseCount, type Run, setOption } from './shared/options.ts';

/** The commands that only read. */
export function addQuestions(add: Add, run: Run): void {
  add('status [EXECUTION_ID]', 'status of an execution (default: all running ones, else the newest)')
    .option('--watch', 'keep showing it until it has ended')
    .option('--all', 'all that run, with --json as an array')
    .addOption(asOfOption())
    .addOption(notifyOption())
    .addOption(jsonOption())
    .action(
      async (
        executionId: string | undefined,
        options: { json?: true; watch?: true; all?: true; notify?: string; asOf?: string },
        command: Command,
      ) => {
        const { json, watch, all, notify, asOf } = options;
        if (watch === true && asOf !== undefined)
          command.error('error: --watch shows what goes on, --as-of what was: give one');
        if (watch !== true && notify !== undefined) command.error('error: --notify needs --watch');
        if (all === true && (watch === true || executionId !== undefined))
          command.error('error: --all is of all executions at one moment: give neither --watch nor an id');
        const isJson = json === true;
        await run(async (io) =>
          watch === true
            ? (await import('./ask/watch.ts')).watchCommand(io, executionId, { json: isJson, notify })
            : (await import('./ask/status.ts')).statusCommand(io, executionId, {
                json: isJson,
                all: all === true,
                asOf,
              }),
        );
      },
    );

  add('open [EXECUTION_ID]', 'the page in your browser, by the server of this store or by one of its own').action(
    async (executionId: string | undefined) => {
      await run(async (io) => (await import('./serve/open.ts')).openCommand(io, executionId));
    },
  );

  addReport(add, run);
  addPlan(add, run);
  addCalls(add, run);
}

interface ReportOptions {
  since?: string;
  until?: string;
  namespace?: string;
  troubles?: true;
  asOf?: string;
  html?: string;
  markdown?: true;
  withoutLogs?: true;
  force?: true;
}

function addReport(add: Add, run: Run): void {
  add(
    'report [EXECUTION_ID]',
    'a report of an execution, as Markdown or as a page in one file; with --since, of a period',
  )
    .option('--markdown', 'as Markdown (the default)')
    .option(
      '--html <FILE>',
      'one file for a browser or a mail, with every attempt; texts of errors, with paths, are in it',
    )
    .option('--without-logs', 'without log lines, and errors and ways of slices')
    .option('--force', 'replaces the file')
    .option('--since <TIME>', 'of all executions that lived since then: -8h, or ISO 8601')
    .option('--until <TIME>', 'up to then (default: now)')
    .option('--namespace <NAME>', 'of a time: only of this namespace')
    .option('--troubles', 'of a time: each finding with when it was first told')
    .addOption(asOfOption())
    .action(async (executionId: string | undefined, options: ReportOptions, command: Command) => {
      const { since, until, namespace, troubles, asOf, html, markdown, withoutLogs, force } = options;
      const isOfTime = [since, until, namespace, troubles].some((given) => given !== undefined);
      if (html !== undefined && (markdown === true || isOfTime))
        command.error('error: --html is of one execution: give neither --markdown nor a time');
      const flags = { withoutLogs: withoutLogs === true, force: force === true };
      await run(async (io) =>
        html === undefined
          ? (await import('./ask/report.ts')).reportCommand(io, {
              executionId,
              since,
              until,
              namespace,
              troubles: troubles === true,
              asOf,
            })
          : (await import('./ask/report-html.ts')).htmlReportCommand(io, { executionId, file: html, asOf, ...flags }),
      );
    });
}

/** Plans of what has not run yet, and of what would have been. */
function addPlan(add: Add, run: Run): void {
  add('plan [CONFIG]', 'how a run would go, without running it: files, slices, bytes, time, workers')
    .option('--stf-count <N>', 'STF files a physics period; 0: as many as fit', parseCount)
    .option(
      '--as-played <EXECUTION_ID>',
      'plays a run again on its own times; --set changes target_worker_count, slice_processing_time (a factor), stf_sampling_rate, without_worker or without_host (default: as it was)',
    )
    .addOption(setOption())
    .addOption(jsonOption())
    .action(async (config: string | undefined, options: PlanOptions, command: Command) => {
      const { stfCount, set: sets, asPlayed, json } = options;
      if (asPlayed !== undefined && (config !== undefined || stfCount !== undefined))
        command.error('error: --as-played has the slices that came: give neither a configuration nor --stf-count');
      const isJson = json === true;
      await run(async (io) =>
        asPlayed === undefined
          ? (await import('./ask/plan.ts')).planCommand(io, { config, stfCount, sets, json: isJson })
          : (await import('./ask/plan-as-played.ts')).planAsPlayed(io, { executionId: asPlayed, sets, json: isJson }),
      );
    });
}

interface PlanOptions {
  stfCount?: number;
  set: string[];
  asPlayed?: string;
  json?: true;
}

/** The configuration, and the tools themselves. */
function addCalls(add: Add, run: Run): void {
  add('config [CONFIG]', 'the effective configuration as TOML, with where each value came from')
    .addOption(setOption())
    .option('--list', 'names the configurations that there are, with their files')
    .action(async (config: string | undefined, { set: sets, list }: { set: string[]; list?: true }) => {
      await run(async (io) => {
        const { configCommand, listConfigs } = await import('./ask/config.ts');
        return list === true ? listConfigs(io) : configCommand(io, { config, sets });
      });
    });

  add('call <TOOL> [ARGUMENTS...]', 'one call of an MCP tool, with key=value or JSON: its structured answer on stdout')
    .option('--yes', 'do not ask before a tool changes something')
    .addHelpText('after', '\nThe tools and their arguments: swf-mcp tools')
    .action(async (tool: string, words: string[], { yes }: { yes?: true }) => {
      await run(async (io) => (await import('./ask/call.ts')).callCommand(io, tool, { words, yes: yes === true }));
    });

  add('tools [TOOL]', 'lists the MCP tools, or the arguments of one').action(async (tool: string | undefined) => {
    await run(async (io) => (await import('./tables/tools.ts')).toolsCommand(io, tool));
  });
}
