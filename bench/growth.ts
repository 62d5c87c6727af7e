import { statSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../test/folder.ts';
import { below, type Figure } from './figure.ts';
import { generate, type Generated } from './generate.ts';
import { cli, peakMemory, startServer } from './processes.ts';
import { benchPrune } from './prune.ts';
import { realRuns } from './shapes.ts';
import { maxCalls, quantileOfCalls, timedCall, type ToolCall } from './timed-calls.ts';

const small = 10_000;

interface Question extends ToolCall {
  question: string;
  /** How long the call may take, in milliseconds, and how many times as long as on a small store. */
  atMost: number;
  timesSmall?: number;
}

/** The ways in which rows are requested: alone, in the usual pairs, from both ends. */
function questionsOf({ executions }: Generated): Question[] {
  const largest = executions[7] ?? executions.at(-1) ?? '';
  const execution_id = executions.at(-1) ?? '';
  const ask = (question: string, tool: string, args: object, atMost = 5, timesSmall = 2): Question => ({
    question,
    tool,
    args,
    atMost,
    timesSmall,
  });
  return [
    ask('monitor of the largest execution', 'get_workflow_monitor', { execution_id: largest }),
    ask('executions', 'list_workflow_executions', {}),
    ask('messages', 'list_messages', {}),
    ask('messages, oldest first', 'list_messages', { order: 'oldest' }),
    ask('messages of the first execution', 'list_messages', { execution_id: executions[0] }),
    ask('messages of the largest execution', 'list_messages', { execution_id: largest }),
    ask('… and a type', 'list_messages', { execution_id: largest, message_type: 'slice_result' }),
    ask('… and a time', 'list_messages', { execution_id, start_time: '-15m' }),
    ask('messages of a run and a seldom type', 'list_messages', { run_number: 100_010, message_type: 'end_run' }),
    ask('messages of an agent', 'list_messages', { agent: 'fastmon-agent-user0-0' }),
    ask('messages of a frequent type', 'list_messages', { message_type: 'stf_ready' }),
    ask('messages of a seldom type', 'list_messages', { message_type: 'run_imminent' }),
    ask('messages that were refused', 'list_messages', { effect: 'rejected' }),
    ask('messages of the last 15 minutes', 'list_messages', { start_time: '-15m' }),
    ask('messages of an hour long ago', 'list_messages', { start_time: '-3h', end_time: '-2h' }),
    ask('messages with two words', 'list_messages', { search: 'segmentation violation' }, 20),
    ask('messages that name a file', 'list_messages', { search: 'swf.100010.000010_slice_003.tf' }, 20),
    ask('STF files of an execution', 'list_stf_files', { execution_id: largest }),
    ask('TF samples', 'list_tf_files', {}),
    ask('slices', 'list_tf_slices', {}),
    ask('slices that wait', 'list_tf_slices', { status: 'queued' }),
    ask('failed slices', 'list_tf_slices', { status: 'failed' }),
    ask('failed slices of an execution', 'list_tf_slices', { execution_id: largest, status: 'failed' }),
    ask('slices of the last 15 minutes', 'list_tf_slices', { start_time: '-15m' }),
    ask('log lines', 'list_logs', {}),
    ask('log lines of an agent', 'list_logs', { agent: 'fastmon-agent-user0-0' }),
    ask('log lines from ERROR on', 'list_logs', { level: 'ERROR' }),
    ask('log lines of the last 15 minutes', 'list_logs', { start_time: '-15m' }),
    ask('log lines with two words', 'list_logs', { search: 'exit code' }, 20),
    ask('agents', 'list_agents', {}),
    ask('way of a slice', 'trace_data_product', { filename: 'swf.100010.000010_slice_003.tf' }),
    ask('audit of the largest execution', 'audit_execution', { execution_id: largest }, 250, Infinity),
    ...['status', 'cause', 'worker'].map((group_by) =>
      ask(
        `slices of the largest execution by ${group_by}`,
        'summarize',
        { what: 'slices', group_by, execution_id: largest },
        50,
        Infinity,
      ),
    ),
    ask('messages by day', 'summarize', { what: 'messages', group_by: 'day' }, 200, Infinity),
  ];
}

/**
 * How much longer answers take as a store grows: over stdio, with the protocol's JSON, from a store of
 * `large` messages and from one of 10,000.
 * @param part which quantile of the times counts
 */
export async function benchGrowth(large: number, part = 0.95): Promise<Figure[]> {
  const [before, after] = [await measure(small, part), await measure(large, part)];
  const size = large.toLocaleString('en');
  const figures = [...after.times].map(([{ question, atMost, timesSmall = 2 }, ours]): Figure => {
    const value = before.byQuestion.get(question) ?? NaN;
    return {
      figure: question,
      unit: 'ms',
      ours,
      floor: { what: `at ${small.toLocaleString('en')}`, value },
      ...(Number.isFinite(timesSmall) ? { usual: 1.5 } : {}),
      aim: {
        says: Number.isFinite(timesSmall) ? `≤ ${atMost} ms, ≤ ${timesSmall} ×` : `≤ ${atMost} ms`,
        holds: () => ours <= atMost && ours <= timesSmall * value,
      },
    };
  });
  return [
    {
      figure: `a store of ${size} messages, filled through the projection; of it p${part * 100} of up to ${maxCalls} calls:`,
      unit: 'messages/s',
      ours: after.rate,
      floor: { what: `at ${small.toLocaleString('en')}`, value: before.rate },
    },
    { figure: 'its size', unit: 'bytes a message', ours: after.bytes },
    ...figures,
    { figure: 'first summary of the largest execution', unit: 'ms', ours: after.firstSummary, aim: below(300, 'ms') },
    { figure: 'peak memory of its server', unit: 'MB', ours: after.memory, aim: below(150, 'MB') },
    ...(await benchPrune(after.path)),
  ];
}

async function measure(messages: number, part: number) {
  const path = join(temporaryFolder(), 'swf.db');
  const made = await generate(path, realRuns(messages));
  const server = await startServer([cli], { SWF_DB: path });
  const times: [Question, number][] = [];
  const largest = made.executions[7] ?? made.executions.at(-1) ?? '';
  const summary = { what: 'slices', group_by: 'status', execution_id: largest };
  const firstSummary = await timedCall(server, { tool: 'summarize', args: summary });
  for (const question of questionsOf(made)) times.push([question, await quantileOfCalls(server, question, part)]);
  const memory = peakMemory(server.child) ?? NaN;
  await server.close();
  return {
    path,
    rate: made.messages / made.seconds,
    bytes: statSync(path).size / made.messages,
    times,
    firstSummary,
    byQuestion: new Map(times.map(([{ question }, time]) => [question, time])),
    memory,
  };
}
