import { describe, expect, it } from 'vitest';

import { linesOfObject } from '../../src/observed/told/rest-rows.ts';
import type { Answer } from '../helpers.ts';
import {
  changed,
  isCall,
  isOfStf,
  isReport,
  judge,
  later,
  type Line,
  linesOf,
  onlyBus,
  typeOf,
} from './prompt-runs.ts';

/** What is to be said of a run. */
interface Judgement {
  /** The codes of its findings. */
  codes: string[];
  /** The checks of its audit that are not in order. */
  open: string[];
  monitor?: object;
}

/** A run as it would be recorded with one thing changed, and its truth from the bus alone and with REST. */
interface Variant {
  lines: Line[];
  id?: string;
  bus: Judgement;
  rest: Judgement;
}

const all = (name: 'PP-1' | 'PP-2' | 'PP-4' | 'PP-6'): Line[] =>
  [...linesOf(name, 'bus'), ...linesOf(name, 'rest')].toSorted((a, b) => (a.t < b.t ? -1 : 1));

const [h, f] = [all('PP-1'), all('PP-2')];
const stf = (run: number, n: number): string => `swf.${run}.00000${n}.stf`;
const seconds = (line: Line, n: number): string => new Date(Date.parse(line.t) + n * 1000).toISOString();

/** All that the bus shows of a run that goes well, and of many that do not. */
const calm: Judgement = { codes: [], open: ['processing'], monitor: { status: 'completed', health: 'finished' } };
const whole: Judgement = { codes: [], open: [], monitor: { status: 'completed', health: 'finished' } };
/** Of a run that no data agent serves, and of one whose data agent is gone, with REST. */
const unserved: Judgement = { codes: ['NOT_HANDED_OVER'], open: ['handed_over', 'processing'] };
const unregistered: Judgement = {
  codes: ['STF_NOT_REGISTERED', 'RUN_NOT_CLOSED'],
  open: ['stf_registered', 'run_closed'],
};

/** Without what its data agent does with some files, and after its end. */
const withoutFiles = (lines: readonly Line[], files: readonly string[], isClosed = false): Line[] => {
  const tests = files.map((file) => isOfStf(file, lines));
  return lines.filter(
    (line) =>
      (typeOf(line) === 'stf_gen' || !tests.some((test) => test(line))) && (isClosed || !isCall(line, 'PATCH', 'runs')),
  );
};

const handOvers = (lines: readonly Line[], isKept: (body: Answer) => boolean): Line[] =>
  lines.filter((line) => typeOf(line) !== 'stf_ready' || isKept(line['body']));

/** The reports of its agent, with changes to what they note. */
const reporting = (lines: readonly Line[], change: (body: Answer, noted: Answer) => void): Line[] =>
  lines.map((line) => (isReport(line) ? changed(line, (body) => change(body, body['metadata'])) : line));

const saying = (lines: readonly Line[], more: (type: unknown) => object): Line[] =>
  lines.map((line) =>
    line['destination'] === undefined ? line : changed(line, (body) => Object.assign(body, more(body['msg_type']))),
  );

/** Two periods of data taking, with a pause between them. */
function inTwoPeriods(): Line[] {
  const second = h.findIndex((line) => line['body']?.filename === stf(104001, 2) && typeOf(line) === 'stf_gen');
  const made = h[second] as Line;
  const phase = (msg_type: string, substate: string): Line => {
    const { filename: _, sequence: __, ...common } = made['body'];
    return { ...made, body: { ...common, msg_type, substate, reason: 'between periods' } };
  };
  return h.toSpliced(second + 1, 0, phase('pause_run', 'standby'), phase('resume_run', 'physics'));
}

/** Each file goes to both sites, and one of them fails the second file. */
function toBothSites(): Line[] {
  const sites = ['E1_BNL', 'E1_JLAB'];
  const chosen = f.map((line) =>
    changed(line, (body) => {
      if (body['decision_policy'] !== undefined) body['decision_policy'] = 'both';
      if (isCall(line, 'POST', 'stf-files')) body['metadata'].decision_box_selected_sites = sites;
    }),
  );
  const id = f.find((line) => isCall(line, 'POST', 'stf-files') && line['body'].stf_filename === stf(104101, 2))?.[
    'answer'
  ].file_id;
  return chosen.map((line) => {
    if (!isReport(line)) return line;
    const isOfSecond = String(line['path']).includes(id);
    return changed(line, (body) => {
      const [one] = Object.values<Answer>(body['metadata'].panda_site_statuses ?? {});
      const isBad = isOfSecond && body['status'] === 'processed';
      const failed = { ...one, status: 'failed', reason: 'panda job 9 failed' };
      body['metadata'].panda_site_statuses = { E1_BNL: one, E1_JLAB: isBad ? failed : one };
      if (isBad) body['status'] = 'failed';
    });
  });
}

/** The decision box is off: one site by configuration. */
function withoutDecisions(): Line[] {
  const off = { decision_box_enabled: false, non_decision_box_site: 'E1_BNL' };
  return reporting(
    saying(h, () => off),
    (_, noted) => Object.assign(noted, { panda_selected_site: 'E1_BNL' }),
  );
}

/** The agent writes the same state of its files again, a minute later each time: their task never ends. */
function repeatedReports(lines: readonly Line[]): Line[] {
  const processed = lines.filter((line) => isReport(line) && line['body'].status === 'processed');
  return [60, 120, 180].flatMap((n) => processed.map((line) => ({ ...line, t: seconds(line, n) })));
}

/** The dataset of the run cannot be made: its data agent opens the run and does nothing more. */
const withoutDataset = (isClosed: boolean): Line[] =>
  handOvers(h, () => false).filter(
    (line) => !isCall(line, 'POST', 'stf-files') && !isReport(line) && (isClosed || !isCall(line, 'PATCH', 'runs')),
  );

/** PanDA refuses the task of one site, and storage the upload of one file of the other. */
const refusedTwice = (): Line[] =>
  reporting(withoutFiles(f, [stf(104101, 3)], true), (body, noted) => {
    if (noted['panda_site_statuses']?.E1_JLAB === undefined) return;
    body['status'] = 'failed';
    noted['panda_poll_reason'] = 'all selected decision-box site submissions failed';
    noted['panda_site_statuses'] = { E1_JLAB: { status: 'failed' } };
  });

/** The data agent of fast processing was first: it makes each file ready, and nothing hands the run over. */
function byAnotherDataAgent(): Line[] {
  const sender = 'data-agent-shifter-9';
  const ready = h.flatMap((line): Line[] => {
    if (typeOf(line) !== 'stf_gen') return [];
    const { msg_type: _, sequence: __, ...body } = line['body'];
    return [{ ...line, t: seconds(line, 1), body: { ...body, msg_type: 'stf_ready', sender, processed_by: sender } }];
  });
  return [...handOvers(h, () => false).filter((line) => !isReport(line)), ...ready];
}

/** What swf-monitor has of a run, read from it when all was done. */
function readFromMonitor(lines: readonly Line[], run: string): Line[] {
  const objects = new Map<string, { resource: Parameters<typeof linesOfObject>[0]; object: Answer; t: string }>();
  for (const line of lines) {
    const resource = (['workflow-executions', 'runs', 'stf-files'] as const).find((name) =>
      ['POST', 'PATCH'].some((verb) => isCall(line, verb, name)),
    );
    const { answer } = line;
    if (resource === undefined || typeof answer !== 'object') continue;
    const id = `${resource} ${answer.file_id ?? answer.run_id ?? answer.execution_id}`;
    const before = objects.get(id)?.object;
    objects.set(id, { resource, t: line.t, object: { ...before, ...line['body'], ...answer, ...line['body'] } });
  }
  const read = [...objects.values()].flatMap(({ resource, object, t }) => linesOfObject(resource, object, t, run));
  return [...onlyBus(lines), ...(read as unknown as Line[])];
}

const terminated = all('PP-4').map((line) =>
  isCall(line, 'PATCH', 'workflow-executions') ? changed(line, (body) => (body['end_time'] ??= line.t)) : line,
);

const realNames = JSON.parse(JSON.stringify(f).replaceAll(/(swf\.\d+\.\d{6})\.stf/g, '$1.edm4hep.root')) as Line[];

const secondUnserved = (): Line[] => [
  ...withoutFiles(
    f,
    [2, 3, 4, 5, 6].map((n) => stf(104101, n)),
  ),
  ...later(linesOf('PP-2', 'bus')).filter((line) => typeOf(line) !== 'stf_ready'),
  ...later(linesOf('PP-2', 'rest')).filter(
    (line) =>
      isCall(line, 'POST', 'workflow-executions') ||
      isCall(line, 'POST', 'run-states') ||
      isCall(line, 'PATCH', 'workflow-executions'),
  ),
];

const skipping = (): Line[] =>
  saying(
    handOvers(f, () => false)
      .filter((line) => !isReport(line))
      .map((line) =>
        isCall(line, 'POST', 'stf-files')
          ? changed(line, (body) => Object.assign(body['metadata'], { decision_box_selected_sites: [] }))
          : line,
      ),
    (type) => (type === 'stf_gen' ? { decision_policy: 'skip' } : {}),
  );

const variants: Readonly<Record<string, Variant>> = {
  'data taking has two periods': { lines: inTwoPeriods(), bus: calm, rest: whole },
  'each file goes to both sites, and one file fails at one of them': {
    lines: toBothSites(),
    bus: calm,
    rest: {
      codes: ['STF_FAILED'],
      open: [],
      monitor: {
        health: 'finished',
        policy: 'both',
        stf_failed: 1,
        sites: [{ processed: 6 }, { processed: 5, failed: 1 }],
      },
    },
  },
  'the decision box is off': {
    lines: withoutDecisions(),
    bus: { ...calm, monitor: { sites: [{ site: 'E1_BNL' }] } },
    rest: { ...whole, monitor: { sites: [{ site: 'E1_BNL', processed: 3 }] } },
  },
  'the data agent of the public programs dies and is started again': {
    lines: [
      ...withoutFiles(h, [stf(104001, 2), stf(104001, 3)]),
      ...repeatedReports(
        withoutFiles(
          h,
          [2, 3].map((n) => stf(104001, n)),
        ),
      ),
    ],
    bus: calm,
    rest: {
      ...unregistered,
      monitor: { status: 'completed', health: 'stalled', sites: [{ registered: 1, processed: 1 }] },
    },
  },
  'the data agent of the fork dies before the second site gets a file': {
    lines: handOvers(
      withoutFiles(
        f,
        [2, 3, 4, 5, 6].map((n) => stf(104101, n)),
      ),
      ({ site }) => site === 'E1_BNL',
    ),
    bus: { ...calm, monitor: { sites: [{ site: 'E1_BNL' }] } },
    rest: {
      ...unregistered,
      monitor: {
        health: 'stalled',
        sites: [
          { site: 'E1_BNL', processed: 1 },
          { site: 'E1_JLAB', registered: 0 },
        ],
      },
    },
  },
  'the data agent still waits for the previous run': {
    lines: secondUnserved(),
    id: 'prompt_processing-shifter-0002',
    bus: unserved,
    rest: {
      codes: ['NOT_HANDED_OVER', 'DATA_AGENT_WAITS', 'STF_NOT_REGISTERED'],
      open: ['handed_over', 'stf_registered', 'run_closed'],
    },
  },
  'the dataset of the public programs cannot be made': {
    lines: withoutDataset(false),
    bus: unserved,
    rest: {
      codes: ['NOT_HANDED_OVER', 'STF_NOT_REGISTERED', 'RUN_NOT_CLOSED'],
      open: ['handed_over', 'stf_registered', 'run_closed'],
    },
  },
  'the dataset of the fork cannot be made, which its data agent reports': {
    lines: withoutDataset(true),
    bus: unserved,
    rest: { codes: ['NOT_HANDED_OVER', 'STF_NOT_REGISTERED'], open: ['handed_over', 'stf_registered'] },
  },
  'one site refuses the task, and storage refuses the upload of a file for the other': {
    lines: refusedTwice(),
    bus: calm,
    rest: {
      codes: ['STF_NOT_REGISTERED', 'STF_FAILED'],
      open: ['stf_registered'],
      monitor: { health: 'finished', stf_failed: 3, sites: [{ processed: 2 }, { failed: 3 }] },
    },
  },
  'the data agent of fast processing comes first': {
    lines: byAnotherDataAgent(),
    bus: { codes: ['NOT_HANDED_OVER', 'WORKFLOWS_MIXED'], open: ['handed_over', 'processing'] },
    rest: {
      codes: ['NOT_HANDED_OVER', 'WORKFLOWS_MIXED', 'STF_NOT_PROCESSED'],
      open: ['handed_over', 'stf_processed'],
      monitor: { status: 'completed' },
    },
  },
  'the run of the fork is stopped, and its end is reported': {
    lines: terminated,
    bus: { codes: [], open: ['processing'], monitor: { status: 'unknown' } },
    rest: {
      codes: ['RUN_NOT_CLOSED'],
      open: ['run_closed'],
      monitor: { status: 'terminated', health: 'stalled', sites: [{ registered: 4, processed: 4 }] },
    },
  },
  'files of another format are copied': { lines: realNames, bus: calm, rest: whole },
  'the policy is skip': { lines: skipping(), bus: calm, rest: whole },
  'the monitor is read, and all goes well': { lines: readFromMonitor(f, '104101'), bus: calm, rest: whole },
  'the monitor is read, and a file fails': {
    lines: readFromMonitor(all('PP-6'), '104501'),
    bus: calm,
    rest: {
      codes: ['STF_NOT_REGISTERED', 'STF_FAILED'],
      open: ['stf_registered'],
      monitor: { stf_failed: 1, sites: [{ registered: 3, processed: 2, failed: 1 }] },
    },
  },
};

/** A line of what swf-monitor has, which no bus carries. */
const isRead = ({ destination }: Line): boolean => String(destination).startsWith('GET ');

describe.each(Object.entries(variants))('a run of prompt processing in which %s', (_, { lines, id, bus, rest }) => {
  it.each([
    ['from the bus alone', onlyBus(lines).filter((line) => !isRead(line)), bus],
    ['with REST', lines, rest],
  ])('is judged correctly %s', async (_how, some, { codes, open, monitor = {} }) => {
    const found = await judge(some, id === undefined ? {} : { id });
    const checks = found.audit['checks'].filter(({ state }: Answer) => state !== 'ok');
    expect({ codes: found.codes.toSorted(), open: checks.map(({ check }: Answer) => check) }).toEqual({
      codes: codes.toSorted(),
      open,
    });
    expect(found.monitor).toMatchObject({ workflow_name: 'prompt_processing', ...monitor });
    expect(found.audit['verdict']).toBe(open.length === 0 ? 'balanced' : 'open');
  });
});
