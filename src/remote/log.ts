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

/** The log of a remote agent: to people at once, and over the broker into the recorder's store. */
export class RemoteLog {
  readonly #options: RemoteLogOptions;
  readonly #lines: RemoteLine[] = [];
  #n = 0;
  #dropped = 0;
  #isSending = false;
  #sending: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RemoteLogOptions) {
    this.#options = options;
    options.broker.onUp(() => this.#begin());
  }

  /** A line of the process itself: to people, and to the recorder. */
  warn(message: string): void {
    this.write({ level: 'WARNING', message }, undefined);
  }

  /** An agent's line about an execution. */
  write(line: LogLine, executionId: string | undefined): void {
    this.#options.log.write(line);
    this.#keep(line, executionId);
  }

  /** Sends the remaining lines if the broker is there. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sending;
    await this.#send();
  }

  #keep({ level, message, context }: LogLine, execution_id: string | undefined): void {
    if (logLevels[level] < logLevels[this.#options.threshold]) return;
    this.#n += 1;
    this.#lines.push({
      n: this.#n,
      timestamp: utcNow(),
      level,
      message: message.slice(0, maxMessage),
      ...(context === undefined ? {} : { context }),
      ...(execution_id === undefined ? {} : { execution_id }),
    });
    if (this.#lines.length > maxKept) this.#dropOne();
    this.#timer ??= setTimeout(() => this.#begin(), gatherMilliseconds);
  }

  /** Drops lines that warn of nothing first. */
  #dropOne(): void {
    const harmless = this.#lines.findIndex(({ level }) => logLevels[level] < logLevels.WARNING);
    this.#lines.splice(Math.max(0, harmless), 1);
    this.#dropped += 1;
  }

  #begin(): void {
    if (!this.#isSending) this.#sending = this.#send();
  }

  async #send(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { broker } = this.#options;
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#lines.length > 0 && broker.isUp()) {
        const batch = this.#nextBatch();
        const dropped = this.#dropped;
        await this.#sendBatch(batch, dropped);
        this.#dropped -= dropped;
        const sent = new Set(batch.map(({ n }) => n));
        this.#lines.splice(0, this.#lines.length, ...this.#lines.filter(({ n }) => !sent.has(n)));
      }
    } catch {
      // The lines stay, and are sent when the broker is back.
    } finally {
      this.#isSending = false;
    }
  }

  #nextBatch(): RemoteLine[] {
    let bytes = 0;
    const batch: RemoteLine[] = [];
    for (const line of this.#lines.slice(0, maxLines)) {
      bytes += Buffer.byteLength(JSON.stringify(line));
      if (batch.length > 0 && bytes > maxLogBytes) break;
      batch.push(line);
    }
    return batch;
  }

  async #sendBatch(lines: RemoteLine[], dropped: number): Promise<void> {
    const { broker, namespace, destination, sender, since } = this.#options;
    const more = dropped === 0 ? {} : { dropped };
    const body: AgentLog = { msg_type: 'agent_log', sender, namespace, timestamp: utcNow(), since, lines, ...more };
    const isSerious = lines.some(({ level }) => logLevels[level] >= logLevels.WARNING);
    await broker.send(reportOf(destination, body, isSerious));
  }
}
