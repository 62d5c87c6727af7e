import { count } from '../shared/format.ts';
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
  reason?: string | undefined;
  health?: string | undefined;
  /** Whether it runs without a driver. */
  isSilent?: boolean;
  /** How many slices failed; of an ended execution, those that stay failed. */
  failed: number;
  isExhausted?: boolean;
}

/** The state of an execution in pills: whether it runs, how many slices failed, and its health, if somebody drives it. */
export const StatePills = ({
  status,
  reason,
  health,
  isSilent,
  failed,
  isExhausted = status !== 'running',
}: StateProps) => (
  <>
    {isSilent ? (
      <Pill state="lost">running, no driver</Pill>
    ) : (
      <Pill state={status}>{status === 'unknown' && reason !== undefined ? reason : status}</Pill>
    )}
    {failed > 0 && <Pill state="failed">{`${count(failed)} ${isExhausted ? 'stay failed' : 'failed'}`}</Pill>}
    {!isSilent && health !== undefined && health !== 'finished' && health !== status && <Pill state={health} />}
  </>
);
