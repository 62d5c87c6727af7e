import type { Finding, Monitor } from '../shared/answers.ts';
import { inZone } from '../shared/format.ts';
import { noFindingWords } from '../shared/states.ts';
import { Button, More } from './card.tsx';
import { Icon, markOf } from './pill.tsx';

interface Props {
  monitor: Monitor;
  onOpen?: (name: string) => void;
  dimmed?: boolean;
  most?: number;
}

/** All findings, worst first, each with the ids that are its evidence. */
export function Findings({ monitor, onOpen, dimmed, most }: Props) {
  const { findings } = monitor;
  const shown = most === undefined ? findings : findings.slice(0, most);
  return (
    <section class={`card ${dimmed ? 'dimmed' : ''}`}>
      <h2>
        Findings <small>{headOf(findings.length, dimmed)}</small>
      </h2>
      <div aria-live="polite">
        {findings.length === 0 && <p>{noFindingWords(monitor)}.</p>}
        {shown.map((finding) => (
          <One key={finding.code + finding.ids[0]} finding={finding} onOpen={onOpen} />
        ))}
        <More n={findings.length - shown.length} />
      </div>
    </section>
  );
}

/** The heading. It gives the number of findings, since a live run's card has room only for the first ones. */
const headOf = (n: number, isNow = false) =>
  [n < 2 ? '' : `${n}, worst first`, isNow ? 'current state' : ''].filter((words) => words !== '').join('; ');

function One({ finding, onOpen }: { finding: Finding; onOpen: Props['onOpen'] }) {
  const { code, severity, sentence, ids } = finding;
  return (
    <div class={`finding ${severity}`}>
      <p>
        <Icon name={markOf(severity)[0]} /> <strong>{code}</strong> <span class="words">{inZone(sentence)}</span>
      </p>
      <p class="ids">
        {ids.slice(0, 5).map((id) =>
          onOpen !== undefined && /\.(?:tf|stf)$/.test(id) ? (
            <Button key={id} shade="id" onClick={() => onOpen(id)}>
              {id}
            </Button>
          ) : (
            <code key={id}>{id}</code>
          ),
        )}
      </p>
    </div>
  );
}
