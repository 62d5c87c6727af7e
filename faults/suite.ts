import pLimit from 'p-limit';

/** The outcome of one round: the facts that a fault has changed, as lost, added, or done twice. */
interface Result {
  seed: number;
  faults: number;
  lost: string[];
  added: string[];
  twice?: string[];
}

/**
 * Runs rounds of faults, beginning with a seed, two at a time, and reports each kind in a line. On two
 * cores, more rounds at a time would only make each slower.
 */
export function runSuite(firstSeed: number) {
  const limit = pLimit(2);
  let hasFailed = false;
  const suite = async (
    name: string,
    fault: string,
    many: number,
    round: (seed: number) => Promise<Result>,
  ): Promise<void> => {
    const seeds = Array.from({ length: Math.max(1, Math.round(many)) }, (_, at) => firstSeed + at);
    const results = await Promise.all(seeds.map((seed) => limit(() => round(seed))));
    const sum = (of: (result: Result) => number): number => results.reduce((total, result) => total + of(result), 0);
    const wrong = results.filter(({ lost, added, twice = [] }) => lost.length + added.length + twice.length > 0);
    hasFailed ||= wrong.length > 0;
    console.log(
      `${name}: ${results.length} rounds, seeds ${firstSeed} to ${firstSeed + results.length - 1}, ${sum(({ faults }) => faults)} ${fault}, ` +
        `${sum(({ lost }) => lost.length)} lost, ${sum(({ added }) => added.length)} added, ${sum(({ twice = [] }) => twice.length)} done twice`,
    );
    for (const { seed, lost, added, twice = [] } of wrong.slice(0, 5))
      console.log(
        `  seed ${seed}: ${JSON.stringify({ lost: lost.slice(0, 5), added: added.slice(0, 5), twice: twice.slice(0, 5) })}`,
      );
  };
  return Object.assign(suite, { hasFailed: () => hasFailed });
}
