import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';

import { SwfError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { utcNow } from '../../lib/time.ts';
import { tried } from '../../lib/tried.ts';
import { writeNewFile } from '../../lib/write-new-file.ts';
import { htmlReport } from '../../mcp/html-report.ts';
import type { Monitor } from '../../tools/answers/monitor.ts';
import { auditExecutionTool } from '../../tools/audit-execution.ts';
import { reportOf } from '../../tools/execution-report.ts';
import { getWorkflowMonitorTool } from '../../tools/get-workflow-monitor.ts';
import type { AnswerOf } from '../../tools/index.ts';
import { listLogsTool } from '../../tools/list-logs.ts';
import { listTfSlicesTool } from '../../tools/list-tf-slices.ts';
import { harmless } from '../../tools/shared/harmless.ts';
import { inSteps } from '../../tools/shared/in-steps.ts';
import type { Tool } from '../../tools/shared/tool.ts';
import { shiftReportTool } from '../../tools/shift-report.ts';
import { traceDataProductTool } from '../../tools/trace-data-product.ts';
import { type Io, storeOption, withStore } from '../shared/io.ts';
import { askAt, createStoreReader } from '../shared/store-reader.ts';
import { askTool } from './ask-tool.ts';

export interface ReportArguments {
  executionId?: string;
  since?: string;
  until?: string;
  namespace?: string;
  asOf?: string;
}

/** `swf-mcp report`: a Markdown report on one execution, or on everything in a time window. */
export async function reportCommand(io: Io, { executionId, since, until, namespace, asOf }: ReportArguments) {
  if (since === undefined && until === undefined && namespace === undefined) {
    using reader = createStoreReader(io);
    const text = await askAt(reader, asOf, ({ queries, now }) => reportOf(queries, executionId ?? 'latest', now));
    return io.out(withStore(text, storeOption(io)));
  }
  const args = { start_time: since, end_time: until, namespace, as_of: asOf };
  const { text, note } = (await askTool(io, shiftReportTool, args)) as { text: string; note?: string };
  io.out(`${withStore(text, storeOption(io))}\n`);
  if (note !== undefined) io.err(printable(note));
}

export interface HtmlArguments {
  executionId?: string;
  /** The file to write; `-` for standard output. */
  html: string;
  withoutLogs: boolean;
  asOf?: string;
  force: boolean;
}

/** How many of a list's newest rows the file contains, and how many slices it traces in full. */
const maxRows = 200;
const maxTraces = 100;

/** `swf-mcp report --html FILE`: an execution as one file that anyone can open, with every attempt in it. */
export async function htmlReportCommand(io: Io, args: HtmlArguments) {
  const data = await gather(io, args);
  const folder = join(io.packageFolder, 'dist', 'web');
  const html = htmlReport({
    title: `${data.execution_id} · swf-mcp`,
    style: ['app.css', 'print.css'].map((name) => readFileSync(join(folder, name), 'utf8')).join(''),
    script: readFileSync(join(folder, 'report.js'), 'utf8'),
    data: harmless(data).answer,
  });
  if (args.html === '-') io.out(html);
  else {
    const path = resolve(io.workingFolder, args.html);
    writeNewFile(path, html, args.force);
    io.err(`wrote ${path}: open it in a browser`);
  }
}

type Row = Record<string, unknown>;

/** A time in milliseconds as ISO 8601, or `other` if it is not a valid time, as in a damaged store. */
const isoOr = (milliseconds: number, other: string) => tried(() => new Date(milliseconds).toISOString()) ?? other;

/** The answers that the page requests, as close to one moment as successive calls can be. */
async function gather(io: Io, { executionId = 'latest', withoutLogs, asOf: as_of }: HtmlArguments) {
  const monitor = await askTool(io, getWorkflowMonitorTool, { execution_id: executionId, as_of });
  const { execution_id } = monitor;
  const listed = async (tool: Tool, args: object) =>
    ((await askTool(io, tool, { execution_id, limit: maxRows, as_of, ...args })) as { items: Row[] }).items;
  const failed = await listed(listTfSlicesTool, { status: 'failed' });
  const { picture, attempts, lastWord, endOf } = await pictureOf(io, monitor, as_of);
  // For an ended execution, use the time of its last message: later changes in the store are about other
  // executions.
  const made_at = lastWord ?? isoOr(endOf, utcNow());
  const report = {
    execution_id,
    made_at,
    status: monitor.status,
    version: io.version,
    monitor: withoutLogs ? withoutQuotes(monitor) : monitor,
    audit: await askTool(io, auditExecutionTool, { execution_id, as_of }),
    picture,
    attempts,
    failed: withoutLogs
      ? failed.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !payloadFields.includes(name))))
      : failed,
    traces: withoutLogs ? [] : await tracesOf(io, failed.slice(0, maxTraces), as_of),
    logs: withoutLogs ? [] : await listed(listLogsTool, { level: 'WARNING' }),
    without_logs: withoutLogs,
  };
  return asOf(report, made_at);
}

/** The pictures of an execution with every attempt, and when its last message was sent. */
async function pictureOf(io: Io, monitor: AnswerOf<'get_workflow_monitor'>, moment: string | undefined) {
  using reader = createStoreReader(io);
  return await askAt(reader, moment, async ({ queries }) => {
    const execution = queries.execution(monitor.execution_id);
    const endOf = Date.parse(monitor.as_of ?? monitor.data_as_of ?? execution.start_time);
    const wanted = {
      from: undefined,
      until: undefined,
      maxBins: 300,
      maxLevels: 0,
      firstSlot: 0,
      slots: 0,
      maxSpans: 0,
    };
    const question = queries.timelineQuestion(execution, endOf, wanted);
    const context = { queries: () => queries, signal: new AbortController().signal };
    const packed = await inSteps(context, (now) => now.packedAttempts(execution.execution_id));
    const { phases, latency } = await inSteps(context, (now) => now.timeline(question));
    const { life, minWidth, maxRetries } = question;
    return {
      picture: { life, minWidth, maxRetries, phases, latency },
      attempts: { names: packed.names, packed: deflateRawSync(packed.bytes, { level: 9 }).toString('base64') },
      lastWord: monitor.status === 'running' ? undefined : queries.lastMessage(execution.execution_id)?.sent_at,
      endOf,
    };
  });
}

/** Findings whose sentences quote log lines. */
const quoting = ['EXECUTION_FAILED', 'NO_WORKER_FOR', 'UNANSWERED', 'DRIVER_FAULT', 'TAKE_UP_FAILED'];

/** The monitor's answer without log lines; lines quoted in its sentences are removed too. */
function withoutQuotes(monitor: Monitor) {
  const findings = monitor.findings.map((finding) =>
    quoting.includes(finding.code) ? { ...finding, sentence: finding.sentence.split(/[:;]/)[0] ?? '' } : finding,
  );
  return { ...monitor, findings, errors: [] };
}

/** The fields of a row that contain a payload's output, files and paths. */
const payloadFields = ['error', 'output_tail', 'outputs', 'outputs_folder'];

/** Fields for the moment of a single answer, left out because the report has one moment for all answers. */
const ofOneAnswer = new Set(['as_of', 'as_of_exact']);

/** Gives all answers in a report the same time. */
const asOf = <T>(report: T, time: string) =>
  JSON.parse(
    JSON.stringify(report, (name, value: unknown) =>
      name === 'data_as_of' ? time : ofOneAnswer.has(name) ? undefined : value,
    ),
  ) as T;

/**
 * The traces of slices, except slices whose names are shown with escapes: a query with such a name would find
 * nothing.
 */
async function tracesOf(io: Io, rows: readonly Row[], as_of: string | undefined) {
  const traces = [];
  for (const { slice_filename } of rows)
    try {
      traces.push({ ...(await askTool(io, traceDataProductTool, { filename: slice_filename, as_of })) });
    } catch (error) {
      if (!(error instanceof SwfError)) throw error;
    }
  return traces;
}
