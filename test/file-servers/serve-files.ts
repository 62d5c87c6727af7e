import { type Started, startCli, temporaryFolder } from '../helpers.ts';

/** `swf-mcp serve-files` in front of a folder, on a free port. Ends with the test. */
export async function startServeFiles(
  folder: string,
  { token, args = [] }: { token?: string; args?: string[] } = {},
): Promise<Started & { url: string }> {
  const env = token === undefined ? {} : { SWF_FILES_TOKEN: token };
  const started = startCli(['serve-files', '0', '--set', `data.dir=${folder}`, ...args], {
    folder: temporaryFolder(),
    env,
  });
  const url = await started.saw(/files in .* at (https?:\/\/\S+)\//);
  return { ...started, url };
}
