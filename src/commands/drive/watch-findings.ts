import type { Queries } from '../../db/queries.ts';
import type { Log } from '../../lib/logger.ts';
import { tried } from '../../lib/tried.ts';
import { type Finding, wholeSentence } from '../../monitoring/findings/rule.ts';

/** How often to look for findings, in milliseconds. */
const lookMilliseconds = 5000;

const nameOf = ({ code, about = '' }: Finding): string => `${code} ${about}`;

/**
 * Logs each finding once it has lasted two looks, and again if it comes back: the log of a night must show why a run waits. Failed slices have lines
 * of their own. Returns a function that ends it.
 */
export function watchFindings(queries: Queries, executionId: string, log: Log): () => void {
  let before = new Set<string>();
  let told = new Set<string>();
  const look = (): void => {
    const findings = queries.snapshot(() => {
      const execution = queries.execution(executionId);
      return queries.assessWithFindings(execution, Date.now(), queries.dataAsOf()).findings;
    });
    const found = findings.filter(({ code, severity }) => severity !== 'info' && code !== 'SLICES_FAILED');
    const standing = found.filter((finding) => before.has(nameOf(finding)));
    for (const finding of standing)
      if (!told.has(nameOf(finding)))
        log.write({ level: 'WARNING', message: `${finding.code}: ${wholeSentence(finding)}` });
    before = new Set(found.map(nameOf));
    told = new Set([...standing.map(nameOf), ...[...told].filter((name) => before.has(name))]);
  };
  // The writers of a store report that it cannot be read.
  const timer = setInterval(() => tried(look), lookMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}
