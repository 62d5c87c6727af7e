import type { BrokerConnection } from '../broker/connection.ts';
import { beatSeconds } from '../domain/liveness.ts';
import { reportOf } from '../exchange/wire.ts';
import { onceAtATime } from '../lib/batches.ts';
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

/**
 * How often an agent shows that it is alive, and the minimum time between its reports of changes, in
 * milliseconds.
 */
const everyMilliseconds = beatSeconds * 1000;
const changeMilliseconds = 1000;

/** The facts that never change while a process is running. */
export type Self = Pick<
  AgentHeartbeat,
  'agent_name' | 'agent_type' | 'hostname' | 'pid' | 'boot_id' | 'version' | 'since' | 'store_id'
>;

/** The facts about this process as an agent that is starting. */
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

/** Reports, on the telemetry topic, that a remote agent is alive, and what it has in hand. */
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
    // A failure does no harm, since the next heartbeat follows soon.
    send().catch(() => {});
  }

  const timer = setInterval(sendNow, everyMilliseconds);
  /** Stops sending: the agent's name belongs to another process, which is still running. */
  const silence = () => {
    isClosed = true;
    clearInterval(timer);
    clearTimeout(soon);
  };
  broker.onUp(sendNow);
  sendNow();
  return {
    silence,
    /** Call when something has changed that others should know about. */
    changed() {
      if (isClosed) return;
      soon ??= setTimeout(sendNow, Math.max(0, lastAt + changeMilliseconds - performance.now()));
    },
    /** Sends the last heartbeat, which says that the agent is ending. */
    async close() {
      silence();
      await send('EXITED').catch(() => {});
    },
  };
}

/** How long to gather lines before sending them, in milliseconds. */
const gatherMilliseconds = 500;

/** How many lines to keep while the broker is unreachable. */
const maxKept = 1000;

/** How many characters of a line to send. */
const maxMessage = 4000;

interface RemoteLogOptions {
  broker: BrokerConnection;
  namespace: string;
  destination: string;
  sender: string;
  since: string;
  /** Lines below this level are left out. */
  threshold: LogLevel;
  /** For people, on this process's stderr. */
  log: Log;
}

export type RemoteLog = ReturnType<typeof createRemoteLog>;

/**
 * The log of a remote agent. Lines are shown to people immediately, and sent over the broker to the recorder's
 * store.
 */
export function createRemoteLog(options: RemoteLogOptions) {
  const { broker, threshold, log } = options;
  const kept: RemoteLine[] = [];
  let n = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;

  const send = onceAtATime(async () => {
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
      // The lines are kept, and are sent once the broker is reachable again.
    }
  });
  const gathered = () => {
    timer = undefined;
    void send();
  };
  /** Writes an agent's log line about an execution. */
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
    timer ??= setTimeout(gathered, gatherMilliseconds);
  };
  broker.onUp(() => void send());
  return {
    write,
    /** Logs a warning about the process itself, for people and for the recorder. */
    warn: (message: string) => write({ level: 'WARNING', message }, undefined),
    /** Sends the remaining lines if the broker is connected. */
    async close() {
      clearTimeout(timer);
      await send();
      // More lines may have arrived while the others were being sent.
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
