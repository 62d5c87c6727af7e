import { onTestFinished } from 'vitest';

import type { DialectName } from '../../src/broker/connection.ts';
import { executionParamsSchema } from '../../src/domain/params.ts';
import type { LogLine } from '../../src/lib/logger.ts';
import type { RunningAgent } from '../../src/remote/part.ts';
import { type RemoteOptions, startRemoteAgent } from '../../src/remote/remote-process.ts';
import { connectToMemory } from '../brokers/memory-connection.ts';
import { temporaryFolder } from '../folder.ts';
import { pass, turns } from '../still-time.ts';
import { destinations, execution_id, type Line, line, namespace, type Overheard } from './line.ts';

export interface AgentSite extends Line {
  dir: string;
  /** The log lines that its processes write for people. */
  people: LogLine[];
  steps: number[];
  telemetry: Overheard[];
  start: (type: RemoteOptions['type'], more?: Partial<RemoteOptions>, params?: object) => Promise<RunningAgent>;
  warnings: () => string[];
  beats: (name: string) => Overheard['body'][];
}

const siteTopic = '/topic/of.the.site';

/** A broker, and agents without a store on it. */
export async function agentSite(kind?: DialectName): Promise<AgentSite> {
  const made = await line(kind);
  const dir = temporaryFolder();
  const [people, steps]: [LogLine[], number[]] = [[], []];
  const telemetry = made.overhear(destinations.telemetry);
  const start: AgentSite['start'] = async (type, more = {}, params = {}) => {
    const agent = await startRemoteAgent({
      type,
      index: 1,
      user: 'tester',
      version: '1.2.3',
      namespace,
      destinations,
      broker: {
        settings: { servers: [], heartbeatSeconds: 1 },
        connect: connectToMemory(made.broker),
        listening: {
          broadcast: destinations.broadcast,
          layout: [siteTopic],
          sharedQueues: [],
          seconds: 0,
          say: () => {},
        },
      },
      params: { ...executionParamsSchema.parse({ data: { dir }, ...params }), speed: 1 },
      log: { write: (written) => void people.push(written) },
      logLevel: 'INFO',
      environment: { PATH: process.env['PATH'] },
      onStep: (seconds) => steps.push(seconds),
      interrupted: new AbortController().signal,
      ...more,
    });
    const end = { isOver: false };
    void agent.done.catch(() => {}).then(() => (end.isOver = true));
    onTestFinished(async () => {
      agent.stop();
      for (let tries = 0; tries < 20 && !end.isOver; tries += 1) await pass(10, 5);
    });
    await turns();
    return agent;
  };
  const warnings = (): string[] => people.filter(({ level }) => level === 'WARNING').map(({ message }) => message);
  const beats = (name: string): Overheard['body'][] =>
    telemetry
      .map(({ body }) => body)
      .filter((body) => body['msg_type'] === 'agent_heartbeat' && body['agent_name'] === name);
  return { ...made, dir, people, steps, telemetry, start, warnings, beats };
}

/** A slice for the placeholder that takes this many seconds, as a recorder sends it. */
export const sliceOf = (slice_id: number, seconds: number, more: object = {}) => ({
  msg_type: 'slice',
  sender: 'fast-1',
  namespace,
  execution_id,
  run_id: '7',
  slice_id,
  slice_filename: `swf.7.000001_slice_00${slice_id}.tf`,
  tf_filename: 'swf.7.000001_tf_001.tf',
  stf_filename: 'swf.7.000001.stf',
  start: slice_id,
  end: slice_id,
  tf_count: 1,
  attempt: 1,
  speed: 1,
  slice_processing_time: seconds,
  ...more,
});

export const sliceHeaders = { namespace, store_id: 's1', execution_id, persistent: 'true' };

export const stfOf = (sequence: number) => ({
  msg_type: 'stf_gen',
  sender: 'daq-1',
  namespace,
  execution_id,
  run_id: '7',
  filename: `swf.7.00000${sequence}.stf`,
  sequence,
  tf_count: 100,
});
