import { randomUUID } from 'node:crypto';

import { parseRecordedConfig } from '../config/load.ts';
import { type Drive, takeOver } from '../db/driving/take-over.ts';
import { requireExecution } from '../db/execution/find-execution.ts';
import { fruitlessTakeUps, runningOverBroker, startMessage } from '../db/execution/start-message.ts';
import { heldBy, noteApplied, noteRefused, waitingCommands } from '../db/log/commands.ts';
import { isProcessAlive, ownerOf } from '../db/presence/leases.ts';
import { SwfError } from '../lib/errors.ts';
import { isAlive } from '../lib/process-identity.ts';
import { utcNow } from '../lib/time.ts';
import { messageIdOf } from '../messages/identity.ts';
import { maxTakeUps } from '../monitoring/findings/drivers.ts';
import { requireOwnFiles } from './data-folder.ts';
import { driverSelf, type Host } from './host.ts';

/** How often, in milliseconds, to check for executions without a driver. */
const lookMilliseconds = 5000;

interface TakeUpOptions {
  isDriving: (executionId: string) => boolean;
  onTaken: (drive: Drive) => void;
}

/**
 * Lets a recorder that runs as a service resume executions in its namespace whose driver is gone, whether the driver
 * was in an earlier process or in this one. An execution that fails repeatedly is left alone, with the finding
 * `TAKE_UP_FAILED`.
 */
export function startTakeUp(host: Host, { isDriving, onTaken }: TakeUpOptions) {
  const { store, namespace, lifetime } = host;
  const { log } = host.options;
  const left = new Set<string>();
  let looking: Promise<void> | undefined;
  /** Logs, once, why an execution is left alone. */
  function leave(executionId: string, level: 'WARNING' | 'ERROR', message: string) {
    if (!left.has(executionId)) log.write({ level, message });
    left.add(executionId);
  }

  async function takeUp(executionId: string) {
    // An execution that is to be stopped is resumed only to end it, so earlier failures do not matter.
    const stop = waitingCommands(store.sql, executionId, ['stop_workflow'])[0]?.message_id;
    const requests = waitingCommands(store.sql, executionId, ['resume_workflow']).map(messageIdOf);
    if (stop === undefined && requests.length === 0 && fruitlessTakeUps(store.sql, executionId) >= maxTakeUps) {
      const message = `giving up on ${executionId} for now: it was resumed ${maxTakeUps} times in ten minutes without success; "swf-mcp status ${executionId}" shows why`;
      return leave(executionId, 'ERROR', message);
    }
    try {
      const { drive, isPaused } = await takeFrom(host, executionId, { stop, requests });
      left.delete(executionId);
      const pause = isPaused ? '; it stays paused' : '';
      log.write({ level: 'WARNING', message: `resumed ${executionId}: its driver was gone${pause}` });
      onTaken(drive);
    } catch (error) {
      // Another process was first, the parameters are from another version, or files are missing.
      if (!(error instanceof SwfError) || error.code.startsWith('STORE_')) throw error;
      const { line } = error;
      await store.write((tx) => {
        for (const id of requests) noteRefused(tx, id, 'REFUSED', line);
      });
      leave(executionId, 'WARNING', `${executionId} was not resumed: ${line}`);
    }
  }

  async function lookAround() {
    try {
      for (const id of runningOverBroker(store.sql, namespace)) {
        if (lifetime.draining.aborted) return;
        if (!isDriving(id) && isWithoutDriver(host, id)) await takeUp(id);
      }
    } catch (error) {
      lifetime.fail(error);
    }
  }

  const look = () => {
    looking ??= lookAround().finally(() => (looking = undefined));
  };
  const timer = setInterval(look, lookMilliseconds);
  look();
  return {
    /** Resolves when no execution is being resumed any longer. */
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}

function isWithoutDriver({ store, processId }: Host, executionId: string) {
  const owner = ownerOf(store.sql, executionId);
  return owner === undefined || owner.process_id === processId || !isProcessAlive(owner, isAlive);
}

/** The pause that stays in force: no one has ended it, and a crash must not end it. */
function pauseOf({ store: { sql } }: Host, executionId: string) {
  const waiting = waitingCommands(sql, executionId, ['pause_workflow', 'resume_workflow']).at(-1);
  if (waiting !== undefined) return waiting.msg_type === 'pause_workflow' ? waiting : undefined;
  const held = heldBy(sql, executionId);
  return held && { ...held, command_id: randomUUID(), timestamp: utcNow() };
}

/** `stop` and `requests` are ids of pending commands. */
function takeFrom(
  host: Host,
  executionId: string,
  { stop, requests }: { stop: string | undefined; requests: readonly string[] },
) {
  const { store, options, processId: process_id, agents } = host;
  const { sql } = store;
  const config = parseRecordedConfig(startMessage(sql, executionId).params, executionId);
  if (stop === undefined) requireOwnFiles(store, requireExecution(sql, executionId), config);
  const driver = driverSelf(options, { process_id, agents });
  return store.write((tx) => {
    const pause = stop === undefined ? pauseOf(host, executionId) : undefined;
    const drive = takeOver(store, tx, executionId, driver, { isAlive, follows: stop ?? (pause && messageIdOf(pause)) });
    if (stop === undefined) for (const id of requests) noteApplied(tx, id);
    // If the pause is already pending, this adds no second row.
    if (pause !== undefined) store.messages.record(tx, pause);
    return { drive, isPaused: pause !== undefined };
  });
}
