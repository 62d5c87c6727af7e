import { sliceFilename } from '../../domain/file-names.ts';
import type { Attempts } from '../../monitoring/timeline/attempts.ts';
import { unpack } from '../../monitoring/timeline/pack.ts';
import { beginOfWork } from '../../monitoring/timeline/phases.ts';
import { type Picture, pictureOf, type WantedPicture } from '../../monitoring/timeline/picture.ts';
import { pageParts } from '../../monitoring/timeline/told.ts';
import { type Call, CallError, type World } from './call.ts';

type Row = Record<string, unknown>;

interface ReportData {
  execution_id: string;
  made_at: string;
  status: string;
  monitor: Row;
  audit: Row;
  picture: Pick<WantedPicture, 'life' | 'minWidth' | 'maxRetries'> & Pick<Picture, 'phases' | 'latency'>;
  attempts: { names: Record<'stf' | 'worker' | 'host' | 'cause', string[]>; packed: string };
  failed: Row[];
  traces: Row[];
  logs: Row[];
  without_logs: boolean;
}

/** The report file: it contains the answers and contacts no server. */
export async function reportWorld(): Promise<World> {
  const data = JSON.parse(document.getElementById('data')?.textContent ?? '{}') as ReportData;
  const attempts = unpack({ names: data.attempts.names, bytes: await inflated(data.attempts.packed) });
  const call: Call = async <T>(tool: string, args: object) => answerOf(data, attempts, tool, args as Row) as T;
  const report = { execution_id: data.execution_id, madeAt: data.made_at, isRunning: data.status === 'running' };
  return { kind: 'report', call, report };
}

async function inflated(base64: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function answerOf(data: ReportData, attempts: Attempts, tool: string, args: Row): unknown {
  switch (tool) {
    case 'get_workflow_monitor':
      // The report file contains only one answer of this tool, so the answer never changes.
      return { ...data.monitor, status: data.status };
    case 'audit_execution':
      return data.audit;
    case 'get_execution_timeline':
      return timelineOf(data, attempts, args);
    case 'list_logs':
      return pageOf(
        data.logs.filter((row) => isWithin(row['timestamp'], args) && isAsked(row, args)),
        data.without_logs
          ? 'The report was made without log lines.'
          : 'Reports contain the newest warnings and errors (at most 200).',
      );
    case 'list_tf_slices':
      return pageOf(
        data.failed.filter((row) => isWithin(row['completed_at'], args)),
        missingOf(data),
      );
    case 'list_messages':
      return pageOf([], 'Reports do not contain messages.');
    case 'trace_data_product': {
      const found = data.traces.find((trace) => trace['filename'] === args['filename']);
      return found ?? wayOf(data, attempts, String(args['filename']));
    }
    default:
      throw new CallError('refused', `this report has no answer from ${tool}`);
  }
}

const pageOf = (items: Row[], note: string) => ({ items, total_count: items.length, has_more: false, note });

const levels = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

const isAsked = (row: Row, { level, search }: Row) =>
  levels.indexOf(String(row['level'])) >= levels.indexOf(String(level)) &&
  String(row['message'])
    .toLowerCase()
    .includes(typeof search === 'string' ? search.replace(/\*$/, '').toLowerCase() : '');

function missingOf({ failed, monitor }: ReportData) {
  const all = Number((monitor as { slices_failed?: number }).slices_failed);
  return all > failed.length ? `The report lists ${failed.length} of the ${all} slices that failed.` : '';
}

const isWithin = (time: unknown, { start_time, end_time }: Row) =>
  typeof time !== 'string' ||
  ((typeof start_time !== 'string' || time >= start_time) && (typeof end_time !== 'string' || time <= end_time));

function timelineOf({ execution_id, picture, made_at }: ReportData, attempts: Attempts, args: Row): unknown {
  const { life, phases, latency } = picture;
  const time = (name: string, otherwise: number) =>
    typeof args[name] === 'string' ? Date.parse(args[name]) : otherwise;
  const from = Math.max(life.start, time('start_time', life.start));
  const until = Math.min(life.end, time('end_time', life.end));
  if (from > until) throw new CallError('refused', 'the execution was not active in this period');
  const drawn = pictureOf(attempts, {
    ...picture,
    from,
    until,
    anchor: beginOfWork(life.start, phases),
    maxBins: Number(args['bins'] ?? 300),
    maxLevels: 300,
    firstSlot: 0,
    slots: Number(args['slots'] ?? 400),
    maxSpans: 20_000,
  });
  return { execution_id, seq: 1, data_as_of: made_at, ...pageParts({ ...drawn, phases, latency }, life) };
}

/** The path of a slice, from its attempts; the report file contains the full path only for failed slices. */
function wayOf({ execution_id, without_logs, monitor }: ReportData, attempts: Attempts, filename: string): unknown {
  if (without_logs) throw new CallError('refused', 'The report was made without the paths of slices.');
  const stfs = attempts.names.stf.all;
  const hops: Row[] = [];
  for (let at = 0; at < attempts.length; at += 1)
    if (sliceFilename(stfs[attempts.stf[at] as number] ?? '', attempts.sliceId[at] as number) === filename)
      hops.push(...hopsOf(attempts, at));
  const ordered = hops.toSorted((a, b) => (String(a['time']) < String(b['time']) ? -1 : 1));
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (first === undefined || last === undefined)
    throw new CallError('refused', `this report does not contain ${filename}`);
  return {
    filename,
    kind: 'slice',
    execution_id,
    status:
      last['outcome'] === 'done'
        ? 'completed'
        : (last['outcome'] ?? (monitor.slices_unanswered === undefined ? 'queued' : 'unanswered')),
    total_seconds: (Date.parse(String(last['time'])) - Date.parse(String(first['time']))) / 1000,
    hops: ordered,
    logs: [],
  };
}

/** One attempt, with each of its messages as a hop. */
function hopsOf(attempts: Attempts, at: number): Row[] {
  const attempt = attempts.attempt[at] as number;
  const worker = attempts.names.worker.all[attempts.worker[at] as number];
  const failed = { outcome: 'failed', note: attempts.names.cause.all[attempts.cause[at] as number] };
  const result = attempts.state[at] === 3 ? failed : { outcome: 'done' };
  return [
    { type: 'slice', time: attempts.queued[at] },
    { type: 'slice_started', time: attempts.started[at], worker },
    { type: 'slice_result', time: attempts.completed[at], worker, ...result },
  ]
    .filter(({ time }) => !Number.isNaN(time))
    .map(({ time, ...hop }) => ({ ...hop, time: new Date(time as number).toISOString(), attempt, effect: 'applied' }));
}
