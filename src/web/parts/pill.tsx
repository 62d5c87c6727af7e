import { count, inZone } from '../shared/format.ts';
import { useAround } from '../state/world.ts';
import { Icon, markOf } from './icon.tsx';

/** A state in its shade, with its icon. */
export function Pill({ state, children }: { state: string; children?: string }) {
  const [icon, shade] = markOf(state);
  return (
    <span class={`pill ${shade}`}>
      <Icon name={icon} /> {children ?? state}
    </span>
  );
}

interface StateProps {
  status: string;
  /** Said in place of the status `unknown`. */
  status_reason?: string | undefined;
  health?: string | undefined;
  /** Whether it runs without a driver. */
  isSilent?: boolean;
  /** How many slices failed; of an ended execution, those that stay failed. */
  failed: number;
  isExhausted?: boolean;
}

/** The state of an execution in pills: whether it runs, how many slices failed, and its health, if somebody drives it. */
export function StatePills(props: StateProps) {
  const { status, status_reason: reason, health, isSilent, failed, isExhausted = status !== 'running' } = props;
  const { zone } = useAround();
  const shown = isSilent ? 'running, no driver' : status === 'unknown' && reason ? inZone(reason, zone) : status;
  return (
    <>
      <Pill state={isSilent ? 'lost' : status}>{shown}</Pill>
      {failed > 0 && <Pill state="failed">{`${count(failed)} ${isExhausted ? 'stay failed' : 'failed'}`}</Pill>}
      {!isSilent && health !== undefined && health !== 'finished' && health !== status && <Pill state={health} />}
    </>
  );
}
