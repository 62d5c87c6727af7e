import type { Attempt } from '../db/presence/lost-starts.ts';
import { noteHeard, noteUnheard } from '../db/presence/remote-agents.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { type Resting, RestingPlaces, restWords } from '../domain/resting-places.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import { steadyClock } from '../lib/time.ts';
import { sliceMessageId } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { ExecutionState } from '../messages/telemetry.ts';
import { forgetMessages, type Surroundings } from './surroundings.ts';

type Report = Draft<'slice_started'> | Draft<'slice_result'>;

/**
 * How long after a rest's deadline to report its end, in milliseconds: exactly at the deadline, the rest has
 * not ended yet.
 */
const afterMilliseconds = 10;

interface Driven {
  places: RestingPlaces;
  /** The workers last reported as resting or on trial. */
  said: string;
  timer: NodeJS.Timeout | undefined;
}

interface RestingWorkersOptions {
  /** Called when the set of workers that rest or are on trial changes. */
  onChange: (executionId: string) => void;
  warn: (message: string) => void;
  /** Whether a worker's heartbeats are being received. */
  isPresent: (agent: string) => boolean;
}

/**
 * The workers that currently take no slices of an execution, because slices that fail on them succeed
 * elsewhere. A recorder lists them in the state of the execution.
 */
export function createRestingWorkers({ onChange, warn, isPresent }: RestingWorkersOptions) {
  const executions = new Map<string, Driven>();

  /** If the resting workers or those on trial have changed, reports them. Checks again when the next rest is over. */
  function tell(id: string) {
    const known = executions.get(id);
    if (known === undefined) return;
    const now = performance.now();
    const resting = known.places.resting(now);
    const said = `${namesOf(resting)}; ${namesOf(known.places.onTrial(now))}`;
    if (said === known.said) return;
    known.said = said;
    onChange(id);
    clearTimeout(known.timer);
    if (resting.length === 0) return;
    known.timer = setTimeout(tell, Math.min(...resting.map(({ until }) => until)) - now + afterMilliseconds, id);
  }

  const forget = (executionId: string) => {
    clearTimeout(executions.get(executionId)?.timer);
    executions.delete(executionId);
  };

  return {
    /** Call when this process starts driving an execution: only then does this process decide which workers rest. */
    add: (executionId: string, { worker: { max_retries } }: ExecutionParams) =>
      void executions.set(executionId, {
        places: new RestingPlaces(max_retries, isPresent),
        said: '; ',
        timer: undefined,
      }),
    forget,
    /** Takes note of a recorded start or result. */
    note(executionId: string | undefined, report: Report) {
      const known = executions.get(executionId ?? '');
      if (known === undefined || executionId === undefined) return;
      const { worker_id, slice_filename: slice, attempt } = report;
      const [agent = ''] = worker_id.split('/');
      if (report.msg_type === 'slice_started') return known.places.begun(agent);
      const error = report.state === 'failed' ? (report.error ?? 'failed without a reason') : undefined;
      const now = performance.now();
      for (const rest of known.places.ended({ place: agent, slice, error, attempt }, now))
        warn(restWords(rest, now, steadyClock().now()));
      return tell(executionId);
    },
    /** The workers that rest now and those on trial, as an execution's state lists them. */
    of(executionId: string): Pick<ExecutionState, 'resting' | 'on_trial'> {
      const now = performance.now();
      const places = executions.get(executionId)?.places;
      return { resting: listed(places?.resting(now), now), on_trial: listed(places?.onTrial(now), now) };
    },
    close() {
      for (const id of executions.keys()) forget(id);
    },
  };
}

const listed = (pauses: readonly Resting[] = [], now: number) =>
  pauses.length === 0
    ? undefined
    : pauses.map((rest) => ({ agent: rest.place, detail: restWords(rest, now, steadyClock().now()) }));

const namesOf = (pauses: readonly Resting[]) =>
  pauses.map(({ place, until, failures }) => `${place} ${until} ${failures}`).join();

/**
 * Counts the repeated starts of an attempt by a worker that was restarted under the same name: the second
 * message has the same content as the first, so the log has only one. Each repetition means that the work
 * of an earlier start was lost.
 */
export function createRepeatedStarts(directory: AgentDirectory) {
  type Start = Pick<Message<'slice_started'>, 'worker_id' | 'timestamp'>;
  const attempts = new Map<string, Start & { since: string | undefined; lost: number }>();
  return {
    note(start: Message<'slice_started'>) {
      const { worker_id, sender, timestamp } = start;
      const id = sliceMessageId(start.execution_id, start);
      const since = directory.sinceOf(sender);
      const known = attempts.get(id);
      // With the same timestamp, this is the same start, resent after a connection break, even if another
      // process now uses the sender's name.
      if (known?.worker_id === worker_id && timestamp !== undefined && known.timestamp === timestamp) return;
      // A start by another worker is a separate message in the log, so it is not counted here.
      const isLoss = known?.worker_id === worker_id && known.since !== since;
      attempts.set(id, { worker_id, since, timestamp, lost: (known?.lost ?? 0) + (isLoss ? 1 : 0) });
    },
    /** How many starts of an attempt were lost by restarts. */
    lost: (attempt: Attempt) => attempts.get(sliceMessageId(attempt.execution_id, attempt))?.lost ?? 0,
    forget: (executionId: string) => forgetMessages(attempts, executionId),
  };
}

type UnheardWorkersOptions = Pick<Surroundings, 'store' | 'directory' | 'warn' | 'onFault'>;

/**
 * Workers that take slices but whose reports never arrive. The broker delivers to us only messages that carry
 * our slices' `store_id` header, so the work of a foreign worker that does not copy that header is lost.
 */
export function createUnheardWorkers({ store, directory, warn, onFault }: UnheardWorkersOptions) {
  /** Workers that have reported. */
  const heard = new Set<string>();
  /** Workers that have not reported and have been named in a warning. */
  const unheard = new Set<string>();
  return {
    /** Call with the message ids of slices that no worker holds any longer and that have no result. */
    noteLost(messageIds: readonly string[]) {
      const holders = new Set(messageIds.map((id) => directory.holderOf(id)));
      for (const agent of holders) {
        if (agent === undefined || heard.has(agent) || unheard.has(agent)) continue;
        unheard.add(agent);
        warn(
          `${agent} takes slices, but its reports on them never arrive: they must carry the slice's store_id header`,
        );
        store.write((tx) => noteUnheard(tx, agent)).catch(onFault);
      }
    },
    /** Call when an agent has reported on a slice. */
    noteWord(agent: string) {
      if (heard.has(agent)) return;
      heard.add(agent);
      unheard.delete(agent);
      // Record this in any case: an earlier recorder may have recorded that the worker had not reported.
      store.write((tx) => noteHeard(tx, agent)).catch(onFault);
    },
  };
}
