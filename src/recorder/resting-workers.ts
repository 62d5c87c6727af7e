import type { ExecutionParams } from '../domain/params.ts';
import { RestingPlaces, restWords } from '../domain/resting-places.ts';
import { isRetried } from '../domain/slice-states.ts';
import type { Draft } from '../messages/message.ts';
import type { ExecutionState } from '../messages/telemetry.ts';

type Attempt = Draft<'slice_started'> | Draft<'slice_result'>;

/** How long after a rest to say that it is over, in milliseconds: at the moment itself it is not. */
const afterMilliseconds = 10;

interface Driven {
  places: RestingPlaces;
  max_retries: number;
  /** Who was said to rest. */
  said: string;
  timer: NodeJS.Timeout | undefined;
}

export interface RestingWorkersOptions {
  /** Called when the workers that rest change. */
  onChange: (executionId: string) => void;
  warn: (message: string) => void;
  /** Whether a worker is heard. */
  isPresent: (agent: string) => boolean;
}

/** The workers that take no slices of an execution for now, since what fails there succeeds elsewhere. A recorder tells them in the state of the execution. */
export function createRestingWorkers({ onChange, warn, isPresent }: RestingWorkersOptions) {
  const executions = new Map<string, Driven>();

  /** Says who rests, if that has changed, and again when the next one has rested enough. */
  function tell(id: string): void {
    const known = executions.get(id);
    if (known === undefined) return;
    const now = performance.now();
    const resting = known.places.resting(now);
    const said = resting.map(({ place, until }) => `${place} ${until}`).join();
    if (said === known.said) return;
    known.said = said;
    onChange(id);
    clearTimeout(known.timer);
    if (resting.length === 0) return;
    known.timer = setTimeout(tell, Math.min(...resting.map(({ until }) => until)) - now + afterMilliseconds, id);
  }

  const forget = (executionId: string): void => {
    clearTimeout(executions.get(executionId)?.timer);
    executions.delete(executionId);
  };

  return {
    /** Call when this process starts driving an execution: only then it decides who rests. */
    add: (executionId: string, { worker: { max_retries } }: ExecutionParams): void =>
      void executions.set(executionId, {
        places: new RestingPlaces(max_retries, isPresent),
        max_retries,
        said: '',
        timer: undefined,
      }),
    forget,
    /** Notes a start or a result that was recorded. */
    note(executionId: string | undefined, attempt: Attempt): void {
      const known = executions.get(executionId ?? '');
      if (known === undefined || executionId === undefined) return;
      const { worker_id, slice_filename: slice } = attempt;
      const willBeRetried = isRetried(attempt.attempt, known.max_retries);
      const [agent = ''] = worker_id.split('/');
      if (attempt.msg_type === 'slice_started') return known.places.begun(agent);
      const error = attempt.state === 'failed' ? (attempt.error ?? 'failed without a reason') : undefined;
      const now = performance.now();
      for (const rest of known.places.ended({ place: agent, slice, error, isRetried: willBeRetried }, now))
        warn(restWords(rest, now));
      return tell(executionId);
    },
    /** The workers that rest now, as an execution's state names them. */
    of(executionId: string): NonNullable<ExecutionState['resting']> {
      const now = performance.now();
      const resting = executions.get(executionId)?.places.resting(now) ?? [];
      return resting.map((rest) => ({ agent: rest.place, detail: restWords(rest, now) }));
    },
    close(): void {
      for (const id of executions.keys()) forget(id);
    },
  };
}

export type RestingWorkers = ReturnType<typeof createRestingWorkers>;
