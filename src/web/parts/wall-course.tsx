import type { Timeline } from '../shared/answers.ts';
import { duration } from '../shared/format.ts';
import { usePoll } from '../state/hooks.ts';
import { useAround } from '../state/world.ts';

/** How often the picture is renewed, in milliseconds, and in how many bins. */
const [every, bins] = [10_000, 90];

/** The slices that were done and that failed, from the start of an execution until now: whether it speeds up, slows down or stands still. */
export function Course({ id }: { id: string }) {
  const { world } = useAround();
  const { answer } = usePoll(
    () => world.call<Timeline>('get_execution_timeline', { execution_id: id, bins, slots: 0 }),
    { key: id, every, isOver: () => false },
  );
  if (answer?.series === undefined) return <div class="course" />;
  const { completed, failed_attempts: failed } = answer.series;
  const most = Math.max(1, ...completed.map((n, bin) => n + (failed[bin] ?? 0)));
  const bar = (shade: string, bin: number, from: number, n: number) =>
    n > 0 && <rect key={shade + bin} class={shade} x={bin + 0.04} width={0.92} y={most - from - n} height={n} />;
  return (
    <>
      <p class="quiet other caption">slices done in each {duration(answer.bin_seconds)} since the start</p>
      <svg
        class="course"
        viewBox={`0 0 ${completed.length} ${most}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Slices done over time, in bins of ${answer.bin_seconds} s: the last three had ${completed.slice(-3).join(', ')}`}
      >
        {completed.map((n, bin) => [bar('completed', bin, 0, n), bar('failed', bin, n, failed[bin] ?? 0)])}
      </svg>
    </>
  );
}
