import type { Reporter, TestModule } from 'vitest/node';

/** Ends every test run with one plain line, `N passed, N failed, N skipped`, that any CI can read. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        if (test.result().state === 'failed') failedHere += 1;
      }
      // A file that could not be loaded has no tests; counted as nothing it would read as green.
      if (module.state() === 'failed' && failedHere === 0) count.failed += 1;
    }
    process.once('exit', () => {
      process.stdout.write(
        `${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped\n`,
      );
    });
  }
}
