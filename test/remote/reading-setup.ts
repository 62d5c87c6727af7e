import { onTestFinished } from 'vitest';

import type { Agent, AgentContext } from '../../src/agents/agent.ts';
import { executionParamsSchema } from '../../src/domain/params.ts';
import { ExecutionViews } from '../../src/exchange/execution-views.ts';
import { noDataFiles } from '../../src/files/data-files.ts';
import type { LogLine } from '../../src/lib/logger.ts';
import type { Draft, Message } from '../../src/messages/message.ts';
import type { Access, FilePlace } from '../../src/remote/data-access.ts';
import { createOffDutyList } from '../../src/remote/off-duty.ts';
import { createReadingAgent, type ReadingAgentOptions } from '../../src/remote/reading-agent.ts';
import type { About } from '../../src/remote/speaker.ts';
import { stopTime } from '../still-time.ts';
import { execution_id, namespace } from './line.ts';

type Stf = Message<'stf_gen'>;

export const stf = (sequence: number, more: object = {}) => ({
  msg_type: 'stf_gen',
  sender: 'daq-1',
  namespace,
  execution_id,
  run_id: '7',
  filename: `swf.7.${String(sequence).padStart(6, '0')}.stf`,
  sequence,
  tf_count: 100,
  ...more,
});

/** The parts that a test may change: how the agent works, how files are reached. */
interface Reach {
  found: Access;
  isMended: boolean;
  handle: (message: Stf, context: AgentContext) => Draft[] | Promise<Draft[]>;
  say: () => Promise<boolean>;
}

const answerOf = ({ filename, sequence, tf_count }: Stf): Draft => ({
  msg_type: 'stf_ready',
  filename,
  sequence,
  tf_count,
});

/** An agent that answers each STF, with a record of what it does. */
export function reading(makesFiles = false) {
  stopTime();
  const events: string[] = [];
  const draining = new AbortController();
  const views = new ExecutionViews();
  const offDuty = createOffDutyList(
    () => {},
    () => {},
  );
  onTestFinished(() => {
    views.close();
    offDuty.close();
  });
  const reach: Reach = {
    found: { files: noDataFiles, folder: undefined },
    isMended: false,
    handle: (message) => [answerOf(message)],
    say: () => Promise.resolve(true),
  };
  const places: FilePlace[] = [];
  const contexts: AgentContext[] = [];
  const [logged, abouts]: [[LogLine, string | undefined][], About[]] = [[], []];
  const steps: number[] = [];
  const agent: Agent = {
    type: 'data',
    emits: ['stf_ready'],
    reads: ['stf_gen'],
    makesFiles,
    handle(message, context) {
      contexts.push(context);
      return reach.handle(message as Stf, context);
    },
  };
  const { data, worker } = executionParamsSchema.parse({ data: { keep_hours: 3 }, worker: { max_retries: 9 } });
  const access = {
    of: (place: FilePlace) => (places.push(place), reach.found),
    isMended: () => Promise.resolve(reach.isMended),
  };
  const speaker = {
    say(draft: Draft, about: About) {
      events.push(`says ${draft.msg_type} ${'sequence' in draft ? draft.sequence : ''}`);
      abouts.push(about);
      return reach.say();
    },
    stop(about: About, why: { reason: string; filename: string }) {
      events.push(`stops ${about.execution_id}: ${why.reason} (${why.filename})`);
      return reach.say();
    },
  };
  const reader = createReadingAgent({
    agent,
    params: { data, worker },
    agentLog: { write: (written: LogLine, of?: string) => void logged.push([written, of]) },
    name: 'data-1',
    namespace,
    lifetime: {
      draining: draining.signal,
      fail: (error: unknown) => events.push(`fault: ${String(error)}`),
    },
    views,
    access,
    offDuty,
    speaker,
    onChange: () => {},
    onStep: (seconds: number) => steps.push(seconds),
  } as unknown as ReadingAgentOptions);
  const deliver = (of: object, headers: Record<string, string> = { namespace, store_id: 's1' }): void => {
    const body = JSON.stringify(of);
    const name = (of as { sequence?: number }).sequence ?? (of as { msg_type: string }).msg_type;
    reader.take({
      id: undefined,
      headers,
      body,
      bytes: Buffer.from(body),
      size: body.length,
      isWhole: true,
      acknowledge: () => void events.push(`acknowledges ${name}`),
      giveBack: () => void events.push(`gives back ${name}`),
      lost: new AbortController().signal,
    });
  };
  return {
    reader,
    events,
    views,
    offDuty,
    reach,
    places,
    contexts,
    logged,
    abouts,
    steps,
    deliver,
    drain: () => draining.abort(),
  };
}
