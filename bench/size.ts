import { statSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../test/folder.ts';
import { generate, type Generated } from './generate.ts';
import { cli, type RawServer, startServer } from './processes.ts';

/** How much slower answers become as a store grows: npm run bench:size [MESSAGES] */
const small = 10_000;
const large = Number(process.argv[2] ?? 1_000_000);
const calls = 40;

interface Question {
  question: string;
  tool: string;
  args: object;
}

/** The ways that rows are asked for: alone, in the usual pairs, at both ends. */
function questionsOf({ executions }: Generated): Question[] {
  const execution_id = executions.at(-1) ?? '';
  const first = executions[0] ?? '';
  const ask = (question: string, tool: string, args: object): Question => ({ question, tool, args });
  return [
    ask('monitor of the largest execution', 'get_workflow_monitor', { execution_id: largestOf(executions) }),
    ask('executions', 'list_workflow_executions', {}),
    ask('messages', 'list_messages', {}),
    ask('messages, oldest first', 'list_messages', { order: 'oldest' }),
    ask('messages of an execution', 'list_messages', { execution_id: first }),
    ask('messages of an execution and a type', 'list_messages', { execution_id, message_type: 'slice_result' }),
    ask('messages of an agent', 'list_messages', { agent: 'fastmon-agent-user0-0' }),
    ask('messages of a type', 'list_messages', { message_type: 'stf_ready' }),
    ask('messages of a type that few have', 'list_messages', { message_type: 'run_imminent' }),
    ask('messages that were refused', 'list_messages', { effect: 'rejected' }),
    ask('messages of the last 15 minutes', 'list_messages', { start_time: '-15m' }),
    ask('messages with a text', 'list_messages', { search: 'segmentation' }),
    ask('STF files of an execution', 'list_stf_files', { execution_id }),
    ask('failed slices of an execution', 'list_tf_slices', { execution_id, status: 'failed' }),
    ask('failed slices', 'list_tf_slices', { status: 'failed' }),
    ask('slices', 'list_tf_slices', {}),
    ask('log lines of an agent', 'list_logs', { agent: 'fastmon-agent-user0-0' }),
    ask('log lines from ERROR on', 'list_logs', { level: 'ERROR' }),
    ask('log lines of the last 15 minutes', 'list_logs', { start_time: '-15m' }),
    ask('log lines with a text', 'list_logs', { search: 'segmentation' }),
    ask('agents', 'list_agents', {}),
    ask('audit of the largest execution', 'audit_execution', { execution_id: largestOf(executions) }),
  ];
}

/** The eighth is the longest, where there are eight. */
const largestOf = (executions: readonly string[]): string => executions[7] ?? executions.at(-1) ?? '';

async function p95(server: RawServer, { tool, args }: Question): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const began = performance.now();
    const answer = await server.call(tool, args);
    times.push(performance.now() - began);
    if (/"isError":true/.test(answer)) throw new Error(`${tool} ${JSON.stringify(args)}: ${answer.slice(0, 300)}`);
    // What takes long is not asked forty times.
    if (times.length >= 5 && times.every((time) => time > 500)) break;
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? NaN;
}

async function measure(messages: number): Promise<Map<string, number>> {
  const path = join(temporaryFolder(), 'swf.db');
  const made = await generate(path, messages);
  const megabytes = statSync(path).size / 1e6;
  console.log(
    `${made.messages.toLocaleString('en')} messages, ${made.slices.toLocaleString('en')} slices, ${made.logs.toLocaleString('en')} log lines in ` +
      `${made.executions.length} executions, ${megabytes.toFixed(0)} MB, made at ${Math.round(made.messages / made.seconds).toLocaleString('en')} messages a second`,
  );
  const server = await startServer([cli], { SWF_DB: path });
  const times = new Map<string, number>();
  for (const question of questionsOf(made)) times.set(question.question, await p95(server, question));
  await server.close();
  return times;
}

const [before, after] = [await measure(small), await measure(large)];
console.log('\n| question (p95 of 40 calls over stdio) | small | large | growth |\n| --- | --- | --- | --- |');
for (const [question, time] of after) {
  const was = before.get(question) ?? NaN;
  console.log(`| ${question} | ${was.toFixed(1)} ms | ${time.toFixed(1)} ms | ${(time / was).toFixed(1)} |`);
}
