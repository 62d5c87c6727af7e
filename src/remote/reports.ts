import type { BrokerConnection } from '../broker/connection.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { reportOf } from '../exchange/wire.ts';
import { type Log, type LogLevel, logLevels, type LogLine } from '../lib/logger.ts';
import { bootId, currentProcess } from '../lib/process-identity.ts';
import { utcNow, wallNow } from '../lib/time.ts';
import {
  type AgentHeartbeat,
  maxInHand,
  wireVersion,
  type AgentLog,
  maxLines,
  maxLogBytes,
  type RemoteLine,
} from '../messages/telemetry.ts';

/** How often an agent shows that it is alive, and at most how often it reports changes, in milliseconds. */
const everyMilliseconds = beatSeconds * 1000;
const changeMilliseconds = 1000;

/** The facts that never change while a process is running. */
export type Self = Pick<
  AgentHeartbeat,
  'agent_name' | 'agent_type' | 'hostname' | 'pid' | 'boot_id' | 'version' | 'since' | 'store_id'
>;

/** The facts about this process as an agent that begins now. */
export function selfOf(agent_name: string, agent_type: Self['agent_type'], version: string) {
  const { hostname, pid } = currentProcess();
  return { agent_name, agent_type, hostname, pid, boot_id: bootId(), version, since: utcNow() };
}

export type Report = Pick<AgentHeartbeat, 'in_hand' | 'free_slots' | 'slots' | 'off_duty'>;

interface HeartbeatOptions {
  broker: BrokerConnection;
  namespace: string;
  destination: string;
  self: Self;
  report: () => Report;
}

export type RemoteHeartbeat = ReturnType<typeof startRemoteHeartbeat>;

/** Reports on the telemetry topic that a remote agent is alive and what it has in hand. */
export function startRemoteHeartbeat({ broker, namespace, destination, self, report }: HeartbeatOptions) {
  let soon: NodeJS.Timeout | undefined;
  let lastAt = 0;
  let isClosed = false;

  async function send(state?: 'EXITED') {
    if (!broker.isUp()) return;
    const { in_hand, ...rest } = report();
    const beat: AgentHeartbeat = {
      msg_type: 'agent_heartbeat',
      sender: self.agent_name,
      namespace,
      timestamp: wallNow(),
      ...self,
      state: state ?? (in_hand.length > 0 ? 'PROCESSING' : 'READY'),
      in_hand: in_hand.slice(0, maxInHand),
      ...rest,
      wire: wireVersion,
    };
    await broker.send(reportOf(destination, beat));
  }

  function sendNow() {
    clearTimeout(soon);
    soon = undefined;
    lastAt = performance.now();
    // The next heartbeat follows soon.
    send().catch(() => {});
  }

  const timer = setInterval(sendNow, everyMilliseconds);
  /** Sends nothing more: the name belongs to another process, which has not ended. */
  const silence = () => {
    isClosed = true;
    clearInterval(timer);
    clearTimeout(soon);
  };
  broker.onUp(sendNow);
  sendNow();
  return {
    silence,
    /** Call when something has changed that others should know. */
    changed() {
      if (isClosed) return;
      soon ??= setTimeout(sendNow, Math.max(0, lastAt + changeMilliseconds - performance.now()));
    },
    /** Sends the last heartbeat: the agent ends. */
    async close() {
      silence();
      await send('EXITED').catch(() => {});
    },
  };
}

/** How long to gather lines before sending them, in milliseconds. */
const gatherMilliseconds = 500;

/** The most lines to keep while the broker is away. */
const maxKept = 1000;

/** How much of a line to send. */
const maxMessage = 4000;

interface RemoteLogOptions {
  broker: BrokerConnection;
  namespace: string;
  destination: string;
  sender: string;
  since: string;
  /** Lines below it are left out. */
  threshold: LogLevel;
  /** For people, on this process's stderr. */
  log: Log;
}

export type RemoteLog = ReturnType<typeof createRemoteLog>;

/** The log of a remote agent: to people at once, and over the broker into the recorder's store. */
export function createRemoteLog(options: RemoteLogOptions) {
  const { broker, threshold, log } = options;
  const kept: RemoteLine[] = [];
  let n = 0;
  let dropped = 0;
  let isSending = false;
  let sending: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  async function send() {
    clearTimeout(timer);
    timer = undefined;
    if (isSending) return;
    isSending = true;
    try {
      while (kept.length > 0 && broker.isUp()) {
        const batch = nextBatch(kept);
        const told = dropped;
        await sendBatch(batch, told, options);
        dropped -= told;
        const sent = new Set(batch.map((line) => line.n));
        kept.splice(0, kept.length, ...kept.filter((line) => !sent.has(line.n)));
      }
    } catch {
      // The lines stay, and are sent when the broker is back.
    } finally {
      isSending = false;
    }
  }

  const begin = () => {
    if (!isSending) sending = send();
  };
  /** An agent's line about an execution. */
  const write = (line: LogLine, execution_id: string | undefined) => {
    log.write(line);
    if (logLevels[line.level] < logLevels[threshold]) return;
    n += 1;
    kept.push(asRemote(n, line, execution_id));
    if (kept.length > maxKept) {
      // Lines that are not warnings are dropped first.
      const harmless = kept.findIndex(({ level }) => logLevels[level] < logLevels.WARNING);
      kept.splice(Math.max(0, harmless), 1);
      dropped += 1;
    }
    timer ??= setTimeout(begin, gatherMilliseconds);
  };
  broker.onUp(begin);
  return {
    write,
    /** A line of the process itself: to people, and to the recorder. */
    warn: (message: string) => write({ level: 'WARNING', message }, undefined),
    /** Sends the remaining lines if the broker is there. */
    async close() {
      clearTimeout(timer);
      await sending;
      await send();
    },
  };
}

const asRemote = (n: number, line: LogLine, execution_id: string | undefined) => ({
  n,
  timestamp: utcNow(),
  level: line.level,
  message: line.message.slice(0, maxMessage),
  context: line.context,
  execution_id,
});

function nextBatch(lines: readonly RemoteLine[]) {
  let bytes = 0;
  const batch: RemoteLine[] = [];
  for (const line of lines.slice(0, maxLines)) {
    bytes += Buffer.byteLength(JSON.stringify(line));
    if (batch.length > 0 && bytes > maxLogBytes) break;
    batch.push(line);
  }
  return batch;
}

async function sendBatch(lines: RemoteLine[], dropped: number, options: RemoteLogOptions) {
  const { broker, namespace, destination, sender, since } = options;
  const body: AgentLog = {
    msg_type: 'agent_log',
    sender,
    namespace,
    timestamp: utcNow(),
    since,
    lines,
    dropped: dropped || undefined,
  };
  const isSerious = lines.some(({ level }) => logLevels[level] >= logLevels.WARNING);
  await broker.send(reportOf(destination, body, isSerious));
}
