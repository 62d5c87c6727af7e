import type { BrokerConnection } from '../broker/connection.ts';
import type { ExecutionParams } from '../domain/params.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import type { BrokerChoice } from '../exchange/broker-start.ts';
import type { ExecutionViews } from '../exchange/execution-views.ts';
import type { Lifetime } from '../lib/lifetime.ts';
import type { Destinations } from '../messages/destinations.ts';
import type { DataAccess } from './data-access.ts';
import type { Report } from './heartbeat.ts';
import type { RemoteLog } from './log.ts';
import type { OffDutyList } from './off-duty.ts';
import type { Speaker } from './speaker.ts';

/** The work of an agent of some type, besides its signs of life. */
export interface Part {
  report(): Report;
  /** Whether something waits to hear a recorder. */
  waits(): boolean;
  /** Resolves when the process drains and the work in hand is done. */
  run(): Promise<void>;
}

/** The things that all parts work with. */
export interface Surroundings {
  name: string;
  namespace: string;
  destinations: Destinations;
  /** How to make connections, and the existing one. */
  broker: BrokerChoice;
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
  agentLog: RemoteLog;
  lifetime: Lifetime;
  /** Called when the work in hand has changed. */
  onChange: () => void;
  /** Called with the time each piece of work took, in seconds. */
  onStep: (seconds: number) => void;
}
