import { describe, expect, it } from 'vitest';

import { codeOf } from '../codes.ts';
import { runCli, temporaryFolder } from '../helpers.ts';

describe('the unit of an observer', () => {
  const unit = (...words: string[]) => runCli(['unit', ...words], { folder: temporaryFolder() });

  it('starts "swf-mcp observe" with the layout, the broker and the store', async () => {
    const { code, stdout } = await unit('--observe', 'head', '--broker', 'stomp://broker.example.org:61613');
    expect(code).toBe(0);
    expect(stdout).toContain('Description=swf-mcp observer');
    expect(stdout).toMatch(
      /^ExecStart=\S.* --db %S\/swf-mcp\/swf.db observe --layout head --broker stomp:\/\/broker.example.org:61613$/m,
    );
  });

  it('omits the layout if it is "none", and can be a command for supervisord', async () => {
    const { stdout } = await unit('--observe', 'none', '--supervisor', '--broker', 'stomp://b:1');
    expect(stdout).toMatch(/^command=.* observe --broker stomp:\/\/b:1$/m);
  });

  it('serves metrics if asked to', async () => {
    const { stdout } = await unit('--observe', 'head', '--broker', 'stomp://b:1', '--metrics', '9000');
    expect(stdout).toMatch(/^ExecStart=\S.* observe --layout head --broker stomp:\/\/b:1 --metrics 9000$/m);
    expect(stdout).toMatch(/^TimeoutStartSec=infinity$/m);
  });

  it('is refused without a broker', async () => {
    const { code, stderr } = await unit('--observe', 'head');
    expect(code).not.toBe(0);
    expect(codeOf(stderr)).toBe('CONFIG_INVALID');
  });
});
