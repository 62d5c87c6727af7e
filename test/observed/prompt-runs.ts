import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { openStore } from '../../src/db/opening/open-store.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { type Answer, ask, connectInProcess, temporaryFolder } from '../helpers.ts';

/** A line of a recording: a message, or a REST call. */
export type Line = Answer & { t: string };

/** The lines of a recorded run, in their order. */
export const linesOf = (name: string, part: 'bus' | 'rest'): Line[] =>
  gunzipSync(readFileSync(`test/recordings/${name}/${part}.jsonl.gz`))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

export const typeOf = ({ body }: Line): unknown => body?.msg_type;

/** Whether a line is a REST call. */
export const isCall = ({ method, path }: Line, verb: string, resource: string): boolean =>
  method === verb && String(path).startsWith(`/api/${resource}/`);

/**
 * Whether a line is of an STF file: its message, its registration, or a change of its row.
 * @param ids of rows, by file
 */
export const isOfStf = (stf: string, lines: readonly Line[]): ((line: Line) => boolean) => {
  const id = lines.find((line) => isCall(line, 'POST', 'stf-files') && line['body'].stf_filename === stf)?.['answer']
    .file_id as string | undefined;
  return (line) =>
    line['body']?.filename === stf ||
    line['body']?.stf_filename === stf ||
    (id !== undefined && String(line['path']).includes(id));
};

/** A new store that has read some lines, and a client of it. @param until the end of what was heard */
export async function readLines(lines: readonly Line[], until?: string) {
  const folder = temporaryFolder();
  const file = join(folder, 'made.jsonl');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const store = await openStore(join(folder, 'swf.db'));
  const { executions } = await readIntoStore([file], { store, namespaces: [], until, onTorn: () => {} });
  store.close();
  const client = await connectInProcess(join(folder, 'swf.db'));
  return { folder, client, executions };
}

/** What is said of an execution: the newest one unless named. */
export async function judge(lines: readonly Line[], { until, id = 'latest' }: { until?: string; id?: string } = {}) {
  const { client } = await readLines(lines, until);
  const monitor = await ask(client, 'get_workflow_monitor', { execution_id: id });
  const audit = await ask(client, 'audit_execution', { execution_id: id });
  const findings: Record<string, string> = Object.fromEntries(
    monitor['findings'].map(({ code, sentence }: Answer) => [code, sentence]),
  );
  return { client, monitor, audit, findings, codes: Object.keys(findings) };
}

/** The ids that a check of an audit names. */
export const idsOf = (audit: Answer, check: string): string[] =>
  audit['checks'].find((one: Answer) => one['check'] === check)?.ids;

/** The messages alone. */
export const onlyBus = (lines: readonly Line[]): Line[] => lines.filter(({ destination }) => destination !== undefined);

/** A report of the processing agent about a file. */
export const isReport = (line: Line): boolean => isCall(line, 'PATCH', 'stf-files');

/** A line with changes to its body. */
export const changed = (line: Line, change: (body: Answer) => void): Line => {
  const copy = structuredClone(line);
  if (copy['body'] !== null && typeof copy['body'] === 'object') change(copy['body']);
  return copy;
};

/** A second run of the same programs, a quarter of an hour later. */
export const later = (lines: readonly Line[]): Line[] =>
  (
    JSON.parse(
      JSON.stringify(lines)
        .replaceAll('shifter-0001', 'shifter-0002')
        .replaceAll(/104(\d)01/g, (_, n: string) => `104${n}02`),
    ) as Line[]
  ).map((line) => {
    const at = Date.parse(line.t) + 900_000;
    const headers = line['headers'] && { ...line['headers'], timestamp: String(at) };
    return { ...line, t: new Date(at).toISOString(), ...(headers ? { headers } : {}) };
  });
