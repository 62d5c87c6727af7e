import { stagesForPeople } from '../../domain/stages.ts';
import { duration } from '../../lib/duration.ts';
import { linear } from '../draw/scale.ts';
import type { Timeline } from '../shared/answers.ts';
import { count } from '../shared/format.ts';
import { useWidth } from '../state/hooks.ts';
import { Card } from './card.tsx';

const rowHeight = 44;
const left = 168;
const right = 78;

/**
 * The distribution of each stage's delays on one logarithmic axis: bars, median, 95th percentile and maximum.
 */
export function Latency({ timeline }: { timeline: Timeline }) {
  const { latency } = timeline;
  const [box, width] = useWidth(480);
  const most = Math.max(0.01, ...latency.map(({ max }) => max));
  const x = linear([Math.log10(0.001), Math.log10(most * 1.2)], [left, width - right]);
  const at = (seconds: number) => x(Math.log10(Math.max(0.001, seconds)));
  const powers = Array.from({ length: Math.ceil(Math.log10(most) + 3) + 1 }, (_, n) => 10 ** (n - 3)).filter(
    // At small widths only every other label is shown, so that labels do not overlap.
    (one, n) => one <= most * 1.2 && (width > 450 || n % 2 === 0),
  );
  const height = latency.length * rowHeight + 24;
  return (
    <Card title="Delays" note="of finished steps, over the whole run; logarithmic scale">
      {latency.length === 0 ? (
        <p>Nothing has completed a stage yet.</p>
      ) : (
        <div ref={box} class="chart">
          <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={latency.map(labelOf).join('; ')}>
            {powers.map((power) => (
              <g key={power} class="axis">
                <line x1={at(power)} x2={at(power)} y1={0} y2={height - 20} />
                <text x={at(power)} y={height - 6}>
                  {power < 1 ? `${Math.round(power * 1000)} ms` : `${power} s`}
                </text>
              </g>
            ))}
            {latency.map((stage, row) => (
              <Stage key={stage.stage} stage={stage} top={row * rowHeight} at={at} width={width} />
            ))}
          </svg>
          <p class="small">● median · ▮ 95 % · ◆ longest; on the right: median and 95 %</p>
        </div>
      )}
    </Card>
  );
}

const labelOf = ({ stage, p50, p95, max }: StageProps['stage']) =>
  `${stage}: median ${duration(p50)}, 95th percentile ${duration(p95)}, longest ${duration(max)}`;

interface StageProps {
  stage: Timeline['latency'][number];
  top: number;
  at: (seconds: number) => number;
  width: number;
}

function Stage({ stage, top, at, width }: StageProps) {
  const { p50, p95, max, buckets = [] } = stage;
  const highest = Math.max(1, ...buckets.map(([, n = 0]) => n));
  const base = top + rowHeight - 12;
  const [from = '', to = ''] = stagesForPeople(stage.stage).split(' → ');
  return (
    <g>
      <text class="name" x={0} y={top + 18}>
        {from}
      </text>
      <text class="sub" x={0} y={top + 33}>
        → {to}, {count(stage.items)}
      </text>
      {buckets.map(([bucket = 0, n = 0]) => {
        const [start, end] = [at(0.001 * 1.25 ** (bucket - 1)), at(0.001 * 1.25 ** bucket)];
        const height = Math.max(1, (n / highest) * 22);
        return (
          <rect
            key={bucket}
            class="delay"
            x={start}
            y={base - height}
            width={Math.max(1, end - start)}
            height={height}
          />
        );
      })}
      <line class="whisker" x1={at(p50)} x2={at(max)} y1={base + 4} y2={base + 4} />
      <circle class="mark" cx={at(p50)} cy={base + 4} r={4} />
      <rect class="mark" x={at(p95) - 1.5} y={base} width={3} height={8} />
      <path class="mark" d={`M${at(max) - 4} ${base + 4}l4 -4l4 4l-4 4Z`} />
      <text class="value" x={width} y={top + 18} text-anchor="end">
        {duration(p50)}
      </text>
      <text class="value sub" x={width} y={top + 33} text-anchor="end">
        {duration(p95)}
      </text>
    </g>
  );
}
