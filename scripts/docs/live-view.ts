import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import xterm from '@xterm/headless';

const size = { columns: 100, rows: 14 };

/** When the picture is taken, in milliseconds after the run begins: in the middle of the run. */
const pictureAt = 6000;

const cell = { width: 8.4, height: 19 };
const margin = 14;
const background = '#16181d';
const foreground = '#d7dae0';

/** Runs a workflow in a real terminal (util-linux's `script`) and draws its live view as SVG. */
export async function drawLiveView(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'swf-mcp-view-'));
  const terminal = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
  const words = ['run', '--speed', '10', '--stf-count', '30'];
  const command = `stty rows ${size.rows} cols ${size.columns}; exec ${[process.execPath, resolve('dist/cli.js'), ...words].join(' ')}`;
  const env = {
    ...process.env,
    SWF_DB: join(folder, 'swf.db'),
    SWF_USER: 'shifter',
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
  };
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdout.on('data', (data: Buffer) => terminal.write(data));
  try {
    await delay(pictureAt);
    return svgOf(terminal);
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolvePromise) => child.once('close', resolvePromise));
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

interface Run {
  x: number;
  text: string;
  fill: string;
  box: string | undefined;
}

function svgOf(terminal: xterm.Terminal): string {
  const { active } = terminal.buffer;
  const all = Array.from({ length: size.rows }, (_, y) => runsOf(active.getLine(active.baseY + y)));
  // The view begins with the execution and its run; the line above it names this machine's store.
  const begin = all.findIndex(([first]) => /^stf_\S+ +run \d+/.test(first?.text ?? ''));
  const end = all.findLastIndex((runs) => runs.some(({ text }) => text.trim() !== '')) + 1;
  const lines: string[] = [];
  for (const [y, runs] of all.slice(begin, end).entries()) {
    const top = margin + y * cell.height;
    for (const { x, text, fill, box } of runs) {
      const left = margin + x * cell.width;
      const width = text.length * cell.width;
      if (box !== undefined)
        lines.push(
          `<rect x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${cell.height}" fill="${box}"/>`,
        );
      if (text.trim() !== '')
        lines.push(
          `<text x="${left.toFixed(1)}" y="${top + 14}" fill="${fill}" textLength="${width.toFixed(1)}" xml:space="preserve">${escaped(text)}</text>`,
        );
    }
  }
  const width = Math.ceil(2 * margin + size.columns * cell.width);
  const height = 2 * margin + (end - begin) * cell.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">`,
    '<title>The live view of swf-mcp run</title>',
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

/** Groups neighbouring cells of a line that have the same style. */
function runsOf(line: xterm.IBufferLine | undefined): Run[] {
  const runs: Run[] = [];
  if (line === undefined) return runs;
  for (let x = 0; x < size.columns; x += 1) {
    const at = line.getCell(x);
    if (at === undefined) break;
    const box = at.isBgRGB() ? `#${at.getBgColor().toString(16).padStart(6, '0')}` : undefined;
    const fill = box === undefined ? foreground : '#000000';
    const text = at.getChars() === '' ? ' ' : at.getChars();
    const before = runs.at(-1);
    if (before !== undefined && before.fill === fill && before.box === box) before.text += text;
    else runs.push({ x, text, fill, box });
  }
  return runs.map((run) => (run.box === undefined ? { ...run, text: run.text.trimEnd() } : run));
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
