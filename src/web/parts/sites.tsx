import type { Monitor } from '../shared/answers.ts';
import { count, time } from '../shared/format.ts';

type Site = NonNullable<Monitor['sites']>[number];

const heads = ['site', 'handed over', 'PanDA task', 'registered', 'processing', 'processed', 'failed'] as const;

const counted = (n: number | undefined) => (n === undefined ? '' : count(n));

const cellsOf = ({ site = 'unnamed', handed_over_at: at, task_id = '', ...counts }: Site) => [
  site,
  at === undefined ? '' : time(at),
  task_id,
  ...[counts.registered, counts.processing, counts.processed, counts.failed].map(counted),
];

/** The sites that process the STF files of a run, and their progress. What no program has reported is left empty. */
export const Sites = ({ monitor }: { monitor: Monitor }) => (
  <div>
    <table aria-label="Sites">
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head}>{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {(monitor.sites ?? []).map(cellsOf).map((cells) => (
          <tr key={cells[0]}>
            {cells.map((cell, at) => (
              <td key={heads[at]}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    <p class="small">
      {count(monitor.stf_count)} STF files announced{monitor.policy !== undefined && `, sites by ${monitor.policy}`}
      {monitor.dataset !== undefined && `, dataset ${monitor.dataset.name} ${monitor.dataset.state ?? ''}`}
    </p>
  </div>
);
