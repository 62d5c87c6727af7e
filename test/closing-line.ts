import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Where and why a test failed at first. */
const firstErrorOf = (test: TestCase): string => {
  const [error] = test.result().errors ?? [];
  const place = error?.stacks?.[0];
  return error === undefined ? '' : `\n    ${error.message}${place === undefined ? '' : `\n    at line ${place.line}`}`;
};

/**
 * Ends every test run with one plain line, `N passed, N failed, N skipped`, that any CI can read. Tests that passed only
 * on a second try stand in the lines before, each with the error of the first: each is a race, in the product or in the test, that somebody mends.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const secondTries: string[] = [];
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        if (test.result().state === 'failed') failedHere += 1;
        if (test.diagnostic()?.flaky === true)
          secondTries.push(`${module.relativeModuleId}: ${test.fullName}${firstErrorOf(test)}`);
      }
      // A file that could not be loaded has no tests; counted as nothing it would read as green.
      if (module.state() === 'failed' && failedHere === 0) count.failed += 1;
    }
    process.once('exit', () => {
      if (secondTries.length > 0) process.stdout.write(`passed on a second try:\n  ${secondTries.join('\n  ')}\n`);
      process.stdout.write(
        `${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped\n`,
      );
    });
  }
}
