import { noteHeard, noteUnheard } from '../db/presence/remote-agents.ts';
import type { ExecutionParams } from '../domain/params.ts';
import { type Resting, RestingPlaces, restWords } from '../domain/resting-places.ts';
import { isRetried } from '../domain/slice-states.ts';
import type { AgentDirectory } from '../exchange/agent-directory.ts';
import { steadyClock } from '../lib/time.ts';
import { sliceMessageId } from '../messages/identity.ts';
import type { Draft, Message } from '../messages/message.ts';
import type { ExecutionState } from '../messages/telemetry.ts';
import { forgetMessages, type Surroundings } from './surroundings.ts';

type Attempt = Draft<'slice_started'> | Draft<'slice_result'>;

/** How long after a rest to report its end, in milliseconds: at the deadline itself the rest has not yet ended. */
const afterMilliseconds = 10;

interface Driven {
  places: RestingPlaces;
  max_retries: number;
  /** The workers last reported to rest or to be on trial. */
  said: string;
  timer: NodeJS.Timeout | undefined;
}

interface RestingWorkersOptions {
  /** Called when the workers that rest or are on trial change. */
  onChange: (executionId: string) => void;
  warn: (message: string) => void;
  /** Whether a worker is heard. */
  isPresent: (agent: string) => boolean;
}

/**
 * The workers that currently take no slices of an execution, because what fails there succeeds elsewhere. A
 * recorder lists them in the state of the execution.
 */
export function createRestingWorkers({ onChange, warn, isPresent }: RestingWorkersOptions) {
  const executions = new Map<string, Driven>();

  /** Reports who rests or is on trial, if that has changed, and again when the next rest is over. */
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
    /** Call when this process starts driving an execution: only from then on does it decide who rests. */
    add: (executionId: string, { worker: { max_retries } }: ExecutionParams) =>
      void executions.set(executionId, {
        places: new RestingPlaces(max_retries, isPresent),
        max_retries,
        said: '; ',
        timer: undefined,
      }),
    forget,
    /** Takes note of a recorded start or result. */
    note(executionId: string | undefined, attempt: Attempt) {
      const known = executions.get(executionId ?? '');
      if (known === undefined || executionId === undefined) return;
      const { worker_id, slice_filename: slice } = attempt;
      const [agent = ''] = worker_id.split('/');
      if (attempt.msg_type === 'slice_started') return known.places.begun(agent);
      const error = attempt.state === 'failed' ? (attempt.error ?? 'failed without a reason') : undefined;
      const now = performance.now();
      const tries = { isAgain: attempt.attempt > 1, isRetried: isRetried(attempt.attempt, known.max_retries) };
      for (const rest of known.places.ended({ place: agent, slice, error, ...tries }, now))
        warn(restWords(rest, now, steadyClock().now()));
      return tell(executionId);
    },
    /** The workers that rest now and those on trial, as named in an execution's state. */
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
 * Starts of an attempt by a worker that was restarted under the same name: the second start's message has the same
 * content as the first, so the log has only one. Each means that an earlier start was lost.
 */
export function createRepeatedStarts(directory: AgentDirectory) {
  type Start = Pick<Message<'slice_started'>, 'worker_id' | 'timestamp'>;
  const attempts = new Map<string, Start & { since: string | undefined; lost: number }>();
  return {
    note({ execution_id = '', slice_filename, attempt, worker_id, sender, timestamp }: Message<'slice_started'>) {
      const id = sliceMessageId(execution_id, slice_filename, attempt);
      const since = directory.sinceOf(sender);
      const known = attempts.get(id);
      // After the connection broke, the same process repeats its start, while another one may be heard under
      // its name.
      if (known?.worker_id === worker_id && timestamp !== undefined && known.timestamp === timestamp) return;
      // A start by another worker is a different message.
      const isLoss = known?.worker_id === worker_id && known.since !== since;
      attempts.set(id, { worker_id, since, timestamp, lost: (known?.lost ?? 0) + (isLoss ? 1 : 0) });
    },
    /** How many starts of an attempt were lost this way. */
    lost: (executionId: string, sliceFilename: string, attempt: number): number =>
      attempts.get(sliceMessageId(executionId, sliceFilename, attempt))?.lost ?? 0,
    forget: (executionId: string) => forgetMessages(attempts, executionId),
  };
}

type UnheardWorkersOptions = Pick<Surroundings, 'store' | 'directory' | 'warn' | 'onFault'>;

/**
 * Workers that take slices but whose reports never arrive. The broker delivers only messages with our slices'
 * header `store_id`, so the work of a foreign worker that does not copy it is lost.
 */
export function createUnheardWorkers({ store, directory, warn, onFault }: UnheardWorkersOptions) {
  /** Workers that have reported. */
  const heard = new Set<string>();
  /** Silent workers already warned about. */
  const unheard = new Set<string>();
  return {
    /** Call with slice messages that no worker holds any longer and that had no result. */
    noteLost(messageIds: readonly string[]) {
      const holders = new Set(messageIds.map((id) => directory.holderOf(id)));
      for (const agent of holders) {
        if (agent === undefined || heard.has(agent) || unheard.has(agent)) continue;
        unheard.add(agent);
        warn(
          `${agent} takes slices, but its reports on them never arrive: they must carry the slice's header store_id`,
        );
        store.write((tx) => noteUnheard(tx, agent)).catch(onFault);
      }
    },
    /** Call when an agent has reported on a slice. */
    noteWord(agent: string) {
      if (heard.has(agent)) return;
      heard.add(agent);
      unheard.delete(agent);
      // An earlier recorder may have noted it, too.
      store.write((tx) => noteHeard(tx, agent)).catch(onFault);
    },
  };
}
