import type { BrokerConnection } from '../broker/connection.ts';
import type { ExecutionParams } from '../domain/params.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import type { BrokerChoice } from '../exchange/broker-start.ts';
import type { ExecutionViews } from '../exchange/execution-views.ts';
import type { Lifetime } from '../lib/lifetime.ts';
import type { Destinations } from '../messages/destinations.ts';
import { createDataAccess, type DataAccess } from './data-access.ts';
import { createOffDutyList, type OffDutyList } from './off-duty.ts';
import type { Report, RemoteLog } from './reports.ts';
import { createSpeaker, type Speaker } from './speaker.ts';

/** The work of an agent of one type, apart from its heartbeats. */
export interface Part {
  report(): Report;
  /** Whether messages wait for a recorder. */
  waits(): boolean;
  /** Resolves when the process is draining and has no more work in hand. */
  run(): Promise<void>;
}

/** The needs of a worker, in a process without a store or in a recorder's process. */
export interface WorkerSurroundings {
  name: string;
  namespace: string;
  destinations: Destinations;
  connection: BrokerConnection;
  /** This host's own parameters. */
  params: Omit<ExecutionParams, 'plan_version'>;
  /** The environment that payload commands inherit. */
  environment: NodeJS.ProcessEnv;
  views: ExecutionViews;
  access: DataAccess;
  /** The other agents of the namespace. */
  others: AgentDirectory;
  offDuty: OffDutyList;
  speaker: Speaker;
  lifetime: Pick<Lifetime, 'draining' | 'stopped'>;
  /** Called when the work in hand has changed. */
  onChange: () => void;
  /** Called with the time each piece of work took, in seconds. */
  onStep: (seconds: number) => void;
}

/** The needs of every part of a process without a store. */
export interface Surroundings extends WorkerSurroundings {
  /** How to make connections. */
  broker: BrokerChoice;
  agentLog: RemoteLog;
  lifetime: Lifetime;
}

/**
 * Adds to `given` what else the parts of a process need. Throws `CONFIG_INVALID` for a token that no header can
 * hold.
 */
export function surroundingsOf<Given extends Omit<WorkerSurroundings, 'access' | 'offDuty' | 'speaker'>>(
  given: Given,
  warn: (message: string) => void,
) {
  const { name: sender, connection: broker, namespace, destinations, params, environment, onChange } = given;
  const { draining, stopped } = given.lifetime;
  return {
    ...given,
    access: createDataAccess({ data: params.data, environment, draining, stopped }),
    offDuty: createOffDutyList(warn, onChange),
    speaker: createSpeaker({ broker, namespace, destinations, sender, warn }),
  };
}

/** The work of a process at one moment. */
interface Figures {
  /** The number of unconfirmed messages, and when the oldest was sent, in milliseconds since 1970. */
  unsent: { count: number; oldest: number | undefined };
  /** Numbers of messages waiting to be answered, by role, and of slots, by state. */
  behind: Record<string, number>;
  slots: Record<string, number>;
  /** How many kinds of work the process cannot do, by reason, including 0 for a reason that does not occur. */
  offDuty: Record<string, number>;
}

export interface RunningAgent {
  name: string;
  figures(): Figures;
  /** Resolves when the agent has stopped; rejects if it cannot continue. */
  done: Promise<void>;
  /** Finishes the work in hand and stops. */
  stop(): void;
}
