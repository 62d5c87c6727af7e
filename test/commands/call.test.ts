import { describe, expect, it } from 'vitest';

import { runCli, runWorkflow, temporaryFolder } from '../helpers.ts';

describe('call', () => {
  it('accepts key=value as well as JSON: strings, numbers and booleans', async () => {
    const folder = temporaryFolder();
    await runWorkflow(folder, '--stf-count', '2');
    const answerOf = async (...words: string[]): Promise<unknown> => {
      const { stdout, stderr, code } = await runCli(['call', ...words], { folder });
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      const { as_of_exact, ...answer } = JSON.parse(stdout) as Record<string, unknown>;
      expect(as_of_exact).toMatch(/^\S+Z@\S+$/);
      return answer;
    };
    const pairs = ['execution_id=latest', 'limit=3', 'has_slices=true'];
    const json = '{"execution_id":"latest","limit":3,"has_slices":true}';
    expect(await answerOf('list_stf_files', ...pairs)).toEqual(await answerOf('list_stf_files', json));
    expect(await answerOf('list_messages', 'search=stf_gen', 'limit=1')).toMatchObject({ total_count: 2 });
  });

  it('refuses an argument that is neither JSON nor key=value, with an example of each', async () => {
    const { stderr, code } = await runCli(['call', 'list_messages', 'limit'], { folder: temporaryFolder() });
    expect(code).toBe(2);
    expect(stderr).toBe(
      `ARGUMENT_INVALID: "limit" is neither JSON nor key=value; give, for example, execution_id=latest or '{"execution_id":"latest"}'\n`,
    );
  });
});
