import { RestingPlaces, restWords } from '../domain/resting-places.ts';
import type { Draft } from '../messages/message.ts';
import type { ExecutionState } from '../messages/telemetry.ts';

type Attempt = Draft<'slice_started'> | Draft<'slice_result'>;

/** How long after a rest to say that it is over, in milliseconds: at the moment itself it is not. */
const afterMilliseconds = 10;

export interface RestingWorkersOptions {
  /** Called when the workers that rest change. */
  onChange: (executionId: string) => void;
  warn: (message: string) => void;
}

/** The workers that take no slices of an execution for now, since what fails there succeeds elsewhere. A recorder tells them in the state of the execution. */
export function createRestingWorkers({ onChange, warn }: RestingWorkersOptions) {
  const executions = new Map<string, { places: RestingPlaces; said: string }>();
  const timers = new Set<NodeJS.Timeout>();

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
    if (resting.length === 0) return;
    const again = (): void => {
      timers.delete(timer);
      tell(id);
    };
    const timer = setTimeout(again, Math.min(...resting.map(({ until }) => until)) - now + afterMilliseconds);
    timers.add(timer);
  }

  return {
    /** Call when this process starts driving an execution: only then it decides who rests. */
    add: (executionId: string): void => void executions.set(executionId, { places: new RestingPlaces(), said: '' }),
    forget: (executionId: string): void => void executions.delete(executionId),
    /** Notes a start or a result that was recorded. */
    note(executionId: string | undefined, attempt: Attempt): void {
      const known = executions.get(executionId ?? '');
      if (known === undefined || executionId === undefined) return;
      const { worker_id, slice_filename: slice } = attempt;
      const [agent = ''] = worker_id.split('/');
      if (attempt.msg_type === 'slice_started') return known.places.begun(agent, slice);
      const error = attempt.state === 'failed' ? (attempt.error ?? 'failed without a reason') : undefined;
      const now = performance.now();
      for (const rest of known.places.ended({ place: agent, slice, error }, now)) warn(restWords(rest, now));
      return tell(executionId);
    },
    /** The workers that rest now, as an execution's state names them. */
    of(executionId: string): NonNullable<ExecutionState['resting']> {
      const now = performance.now();
      const resting = executions.get(executionId)?.places.resting(now) ?? [];
      return resting.map((rest) => ({ agent: rest.place, detail: restWords(rest, now) }));
    },
    close(): void {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

export type RestingWorkers = ReturnType<typeof createRestingWorkers>;
