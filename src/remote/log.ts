import type { BrokerConnection } from '../broker/connection.ts';
import { reportOf } from '../exchange/reports.ts';
import { type Log, type LogLevel, logLevels, type LogLine } from '../lib/logger.ts';
import { utcNow } from '../lib/time.ts';
import { type AgentLog, maxLines, maxLogBytes, type RemoteLine } from '../messages/telemetry.ts';

/** How long to gather lines before sending them, in milliseconds. */
const gatherMilliseconds = 500;

/** The most lines to keep while the broker is away. */
const maxKept = 1000;

/** How much of a line to send. */
const maxMessage = 4000;

export interface RemoteLogOptions {
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

  async function send(): Promise<void> {
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

  const begin = (): void => {
    if (!isSending) sending = send();
  };
  /** An agent's line about an execution. */
  const write = (line: LogLine, execution_id: string | undefined): void => {
    log.write(line);
    if (logLevels[line.level] < logLevels[threshold]) return;
    n += 1;
    kept.push(asRemote(n, line, execution_id));
    if (kept.length > maxKept) {
      // Lines that warn of nothing go first.
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
    warn: (message: string): void => write({ level: 'WARNING', message }, undefined),
    /** Sends the remaining lines if the broker is there. */
    async close(): Promise<void> {
      clearTimeout(timer);
      await sending;
      await send();
    },
  };
}

const asRemote = (n: number, line: LogLine, execution_id: string | undefined): RemoteLine => ({
  n,
  timestamp: utcNow(),
  level: line.level,
  message: line.message.slice(0, maxMessage),
  ...(line.context === undefined ? {} : { context: line.context }),
  ...(execution_id === undefined ? {} : { execution_id }),
});

function nextBatch(lines: readonly RemoteLine[]): RemoteLine[] {
  let bytes = 0;
  const batch: RemoteLine[] = [];
  for (const line of lines.slice(0, maxLines)) {
    bytes += Buffer.byteLength(JSON.stringify(line));
    if (batch.length > 0 && bytes > maxLogBytes) break;
    batch.push(line);
  }
  return batch;
}

async function sendBatch(lines: RemoteLine[], dropped: number, options: RemoteLogOptions): Promise<void> {
  const { broker, namespace, destination, sender, since } = options;
  const more = dropped === 0 ? {} : { dropped };
  const body: AgentLog = { msg_type: 'agent_log', sender, namespace, timestamp: utcNow(), since, lines, ...more };
  const isSerious = lines.some(({ level }) => logLevels[level] >= logLevels.WARNING);
  await broker.send(reportOf(destination, body, isSerious));
}
