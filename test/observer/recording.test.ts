import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { MessageLine } from '../../src/observed/recording-lines.ts';
import { createRecording, openRecording, type RecordingFile } from '../../src/observer/recording-file.ts';
import { recordingPlace } from '../../src/observer/recording-place.ts';
import { readRecordings } from '../../src/observer/recording-reader.ts';
import { createRecordingWriter } from '../../src/observer/waiting-lines.ts';
import { runCli, temporaryFolder } from '../helpers.ts';

const by = 'a test';
const line = (t: string, text = 'x'): MessageLine => ({ t, destination: '/topic/a', headers: {}, text });

/** Writes lines as an observer does that ends cleanly. */
async function write(name: string, lines: readonly MessageLine[], limit?: number): Promise<void> {
  const place = await recordingPlace(name, { by }, limit);
  const writer = createRecordingWriter({
    fileAt: (time) => place.fileAt(time),
    say: () => {},
    now: () => Date.parse(lines.at(-1)?.t ?? ''),
  });
  for (const one of lines) {
    writer.lines.add(one, one.t);
    if (limit !== undefined) await writer.lines.flush();
  }
  await writer.close();
  await place.leave();
}

const textOf = (path: string): string => {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
};

const linesOf = (path: string): unknown[] =>
  textOf(path)
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as unknown);

const at = (second: number): string => new Date(Date.UTC(2026, 10, 27, 9, 0, second)).toISOString();

describe.each(['run.jsonl', 'run.jsonl.gz'])('a recording in %s', (name) => {
  it('has a header, a line per message, and a last line with the end time', async () => {
    const path = join(temporaryFolder(), name);
    await write(path, [line(at(1)), line(at(2))]);
    expect(linesOf(path)).toEqual([{ capture: 1, t: at(1), by }, line(at(1)), line(at(2)), { until: at(2) }]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is continued, with a gap for the time when no observer ran', async () => {
    const path = join(temporaryFolder(), name);
    await write(path, [line(at(1))]);
    await write(path, [line(at(30))]);
    expect(linesOf(path).slice(3)).toEqual([
      { gap: { from: at(1), until: at(30), reason: 'no observer was running' } },
      line(at(30)),
      { until: at(30) },
    ]);
  });

  it('is continued if a machine crash left its end incomplete', async () => {
    const path = join(temporaryFolder(), name);
    await write(path, [line(at(1))]);
    await write(path, [line(at(2), 'y'.repeat(5000))]);
    const { size } = statSync(path);
    truncateSync(path, size - 20);
    await write(path, [line(at(30))]);
    const found = linesOf(path);
    expect(found).toContainEqual(line(at(1)));
    expect(found.at(-2)).toEqual(line(at(30)));
    expect(found.at(-3)).toMatchObject({ gap: { until: at(30) } });
  });
});

describe('a recording', () => {
  it('in a folder has one file per day, and a new one whenever a file reaches the limit', async () => {
    const folder = `${join(temporaryFolder(), 'heard')}/`;
    const days = [27, 27, 27, 28].map((day, n) => new Date(Date.UTC(2026, 10, day, 9, 0, n)).toISOString());
    // Each of the first two is larger than the limit.
    await write(
      folder,
      days.map((t, n) => line(t, n < 2 ? Array.from({ length: 300 }, (_, i) => i * n).join(' ') : 'x')),
      400,
    );
    expect(readdirSync(folder).toSorted()).toEqual([
      '2026-11-27.2.jsonl.gz',
      '2026-11-27.jsonl.gz',
      '2026-11-28.jsonl.gz',
    ]);
    const all = readdirSync(folder).flatMap((name) => linesOf(folder + name)) as MessageLine[];
    expect(
      all
        .filter(({ destination }) => destination !== undefined)
        .map(({ t }) => t)
        .toSorted(),
    ).toEqual(days);
    await write(folder, [line(new Date(Date.UTC(2026, 10, 28, 10)).toISOString())]);
    expect(readdirSync(folder)).toHaveLength(3);
    // A day later it begins a file, which says since when no observer ran.
    const later = new Date(Date.UTC(2026, 10, 30, 10)).toISOString();
    await write(folder, [line(later)]);
    expect(linesOf(`${folder}2026-11-30.jsonl.gz`)).toMatchObject([
      { capture: 1 },
      {
        gap: {
          from: new Date(Date.UTC(2026, 10, 28, 10)).toISOString(),
          until: later,
          reason: 'no observer was running',
        },
      },
      line(later),
      { until: later },
    ]);
  });

  it('that cannot be created fails with an error that says what to do', async () => {
    await expect(recordingPlace(join(temporaryFolder(), 'nowhere', 'x.jsonl'), { by })).rejects.toThrow(
      /x\.jsonl\.lock cannot be written: .*ENOENT.*; name another file/,
    );
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'x.jsonl'));
    const place = await recordingPlace(join(folder, 'x.jsonl'), { by });
    await expect(place.fileAt(at(1))).rejects.toThrow(/x\.jsonl cannot be written: .*EISDIR.*; name another file/);
    writeFileSync(join(folder, 'file'), '');
    await expect(recordingPlace(join(folder, 'file/'), { by })).rejects.toThrow(
      /cannot be created: .*; name another folder/,
    );
    // If the system reports that the parent of a folder is missing, Node's recursive mkdir never returns.
    await expect(recordingPlace('/proc/recordings/', { by })).rejects.toThrow(
      /cannot be created: .*; name another folder/,
    );
  });

  it.each(['x.jsonl', 'x/'])(
    'in %s is written by one process at a time, and the lock of a dead process is ignored',
    async (name) => {
      const folder = temporaryFolder();
      const place = await recordingPlace(join(folder, name), { by });
      await expect(recordingPlace(join(folder, name), { by })).rejects.toThrow(
        /^process \d+ on \S+ is writing this recording; name another file/,
      );
      await place.leave();
      const lock = join(folder, name === 'x/' ? 'x/.lock' : 'x.jsonl.lock');
      for (const left of [
        JSON.stringify({ pid: 999_999_999, pid_started: '1', hostname: hostname() }),
        '{"pid":',
        '',
      ]) {
        writeFileSync(lock, left);
        // Another process may be writing its name into a lock that has none yet.
        utimesSync(lock, 1, Date.now() / 1000 - 11);
        await (await recordingPlace(join(folder, name), { by })).leave();
        expect(existsSync(lock)).toBe(false);
      }
      writeFileSync(lock, '');
      await expect(recordingPlace(join(folder, name), { by })).rejects.toThrow(
        /^another process is writing this recording/,
      );
      writeFileSync(lock, JSON.stringify({ pid: 1, pid_started: '1 x', hostname: 'another-host' }));
      await expect(recordingPlace(join(folder, name), { by })).rejects.toThrow(
        expect.objectContaining({ code: 'AGENT_IN_USE' }),
      );
      utimesSync(lock, 1, Date.now() / 1000 - 61);
      await (await recordingPlace(join(folder, name), { by })).leave();
    },
  );

  it.each([
    ['notes.jsonl', Buffer.from('dear diary\nit rained\n')],
    ['notes.jsonl', Buffer.from('dear diary')],
    ['key.gz', Buffer.from([1, 2, 3, 4])],
    ['other.gz', gzipSync('dear diary\n')],
    ['swf.db', Buffer.from('SQLite format 3\0')],
  ])('never overwrites a file that is not a recording: %s', async (name, content) => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, content);
    await expect(openRecording(path)).rejects.toThrow(
      /already exists, and is not a recording that can be continued; name another file/,
    );
    await expect(createRecording(path)).rejects.toThrow(/already exists; name another file/);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('is continued after zero bytes that a machine crash left behind', async () => {
    const path = join(temporaryFolder(), 'a.jsonl.gz');
    await write(path, [line(at(1))]);
    await write(path, [line(at(2))]);
    appendFileSync(path, Buffer.alloc(300));
    await write(path, [line(at(30))]);
    const found = linesOf(path);
    expect(found).toContainEqual(line(at(1)));
    expect(found.at(-2)).toEqual(line(at(30)));
  });

  it('keeps lines while the disk is full, writes them when there is room, and reports each change once', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const taken: string[] = [];
    let isFull = true;
    const file = {
      add: (lines: readonly string[]) => {
        if (isFull) return Promise.reject(new Error('ENOSPC: no space left on device'));
        taken.push(...lines);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    } as unknown as RecordingFile;
    const said: string[] = [];
    const writer = createRecordingWriter({ fileAt: () => Promise.resolve(file), say: (words) => said.push(words) });
    for (let n = 0; n < 3; n += 1) {
      writer.lines.add(line(at(n)), at(n));
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(taken).toEqual([]);
    isFull = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(taken.map((text) => (JSON.parse(text) as MessageLine).t)).toEqual([at(0), at(1), at(2)]);
    expect(said).toEqual([
      expect.stringMatching(/^WARNING the recording cannot be written \(ENOSPC/),
      'the recording can be written again',
    ]);
    await writer.close();
  });

  it('drops lines beyond its buffer while the disk hangs, and records the time as a gap', async () => {
    const taken: string[] = [];
    let free = (): void => {};
    const stuck = new Promise<void>((resolve) => (free = resolve));
    const file = {
      add: async (lines: readonly string[]) => {
        await stuck;
        taken.push(...lines);
      },
      close: () => Promise.resolve(),
    } as unknown as RecordingFile;
    const writer = createRecordingWriter({ fileAt: () => Promise.resolve(file), say: () => {} });
    const megabyte = 'x'.repeat(1_000_000);
    for (let n = 0; n < 80; n += 1) writer.lines.add(line(at(n), megabyte), at(n));
    // As the timer does, again and again.
    for (let n = 0; n < 3; n += 1) void writer.lines.flush();
    free();
    await expect.poll(() => taken.length).toBeGreaterThan(60);
    writer.lines.add(line(at(90)), at(90));
    await writer.close();
    const found = taken.map((text) => JSON.parse(text) as { t: string; text?: string; gap?: object });
    const kept = found.filter(({ text }) => text === megabyte);
    expect(kept.length).toBeLessThanOrEqual(67);
    expect(new Set(kept.map(({ t }) => t)).size).toBe(kept.length);
    const gaps = found.flatMap(({ gap }) => gap ?? []);
    expect(gaps).toEqual([
      {
        from: at(kept.length),
        until: expect.any(String),
        reason: 'messages arrived faster than they could be written',
      },
    ]);
    expect(found.at(-2)).toEqual(line(at(90)));
  });
});

describe('recordings are read', () => {
  const read = async (
    paths: string[],
  ): Promise<{ times: (string | undefined)[]; rejected: number; torn: string[] }> => {
    const torn: string[] = [];
    const times: (string | undefined)[] = [];
    let rejected = 0;
    for await (const one of readRecordings(paths, ({ path }) => torn.push(path)))
      if (one.kind === 'message') times.push(one.line.t);
      else if (one.kind === 'rejected') rejected += 1;
    return { times, rejected, torn };
  };

  it('together, in the order of their times', async () => {
    const folder = temporaryFolder();
    const [a, b] = [join(folder, 'a.jsonl'), join(folder, 'b.jsonl.gz')];
    await write(a, [line(at(1)), line(at(3)), line(at(5))]);
    await write(b, [line(at(2)), line(at(4))]);
    expect((await read([a, b])).times).toEqual([1, 2, 3, 4, 5].map(at));
  });

  it('with invalid lines counted and skipped', async () => {
    const path = join(temporaryFolder(), 'a.jsonl');
    await write(path, [line(at(1))]);
    appendFileSync(path, `half a li\n\n${JSON.stringify(line(at(2)))}\n{"t":`);
    expect(await read([path])).toEqual({ times: [at(1), at(2)], rejected: 2, torn: [] });
  });

  it('up to the point where they break off', async () => {
    const path = join(temporaryFolder(), 'a.jsonl.gz');
    await write(path, [line(at(1))]);
    await write(path, [line(at(2))]);
    truncateSync(path, statSync(path).size - 5);
    const found = await read([path]);
    expect(found.times).toContain(at(1));
    expect(found.torn).toEqual([path]);
  });

  it('unless one is missing, which is an error', async () => {
    await expect(read([join(temporaryFolder(), 'none.jsonl')])).rejects.toThrow(
      /none\.jsonl cannot be read: .*; give the path of a recording/,
    );
  });

  it('despite a misleading name, a byte order mark or a line that is too long', async () => {
    const folder = temporaryFolder();
    const [plain, packed, marked, long] = ['plain.jsonl.gz', 'packed.jsonl', 'marked.jsonl', 'long.jsonl.gz'].map(
      (name) => join(folder, name),
    ) as [string, string, string, string];
    const text = `${JSON.stringify(line(at(1)))}\n${JSON.stringify(line(at(2)))}\n`;
    writeFileSync(plain, text);
    writeFileSync(packed, gzipSync(text));
    writeFileSync(marked, `\uFEFF${text}`);
    writeFileSync(long, gzipSync(`{"t":"${'x'.repeat(50_000_000)}"}\n${text}`));
    const both = { times: [at(1), at(2)], rejected: 0, torn: [] };
    for (const path of [plain, packed, marked]) expect(await read([path])).toEqual(both);
    expect(await read([long])).toEqual({ ...both, rejected: 1 });
  });

  it('from a folder by "observe --from"', async () => {
    const folder = temporaryFolder();
    await write(join(folder, 'heard/'), [line(at(1)), line(at(2))]);
    const found = await runCli(['observe', '--from', 'heard/', '--json'], { folder });
    expect(JSON.parse(found.stdout)).toMatchObject({ messages: 2, rejected: 0 });
  });

  it('with the log lines sent over REST, each stored once even if it is read twice', async () => {
    const folder = temporaryFolder();
    const call = (second: number, message: string, status = 201) => ({
      t: at(second),
      method: 'POST',
      path: '/api/logs/',
      query: {},
      auth: null,
      body: { instance_name: 'data-agent-x-1', level: 30, message, extra_data: { run_id: '7' } },
      status,
      answer: { id: second },
    });
    const calls = [
      // Sent again, since its answer was lost; later lines push it out of what the store searches.
      call(0, 'line 0'),
      ...Array.from({ length: 40 }, (_, n) => call(n, `line ${n}`)),
      call(50, 'refused', 400),
    ];
    writeFileSync(join(folder, 'rest.jsonl'), calls.map((one) => `${JSON.stringify(one)}\n`).join(''));
    for (const _ of [1, 2])
      expect(await runCli(['observe', '--from', 'rest.jsonl'], { folder })).toMatchObject({ code: 0 });
    const { stdout } = await runCli(['call', 'list_logs', '{"agent":"data-agent-x-1","limit":100}'], { folder });
    const { items } = JSON.parse(stdout) as { items: { message: string; level: string }[] };
    expect(items).toHaveLength(40);
    expect(items[0]).toMatchObject({ message: 'line 39', level: 'WARNING', run_id: '7', timestamp: at(39) });
  });

  it('with the log lines of one namespace, in UTC, without secrets or deeply nested lines', async () => {
    const folder = temporaryFolder();
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const call = (t: string, message: string, extra: string) =>
      `{"t":"${t}","method":"POST","path":"/api/logs/","query":{},"auth":null,"body":{"instance_name":"a","message":"${message}","extra_data":${extra}},"status":201,"answer":{}}\n`;
    const lines = [
      call('2026-11-27T09:00:00Z', 'deep', deep),
      call('2026-11-27T11:00:01+02:00', 'mine', '{"namespace":"mine","password":"hunter2"}'),
      call('2026-11-27T09:00:02Z', 'theirs', '{"namespace":"theirs"}'),
    ];
    writeFileSync(join(folder, 'rest.jsonl'), lines.join(''));
    const words = ['observe', '--from', 'rest.jsonl', '--namespace', 'mine'];
    expect(await runCli(words, { folder })).toMatchObject({ code: 0 });
    const { stdout } = await runCli(['call', 'list_logs', '{"agent":"a"}'], { folder });
    expect(stdout).not.toContain('hunter2');
    expect((JSON.parse(stdout) as { items: object[] }).items).toMatchObject([
      { message: 'mine', timestamp: '2026-11-27T09:00:01.000Z' },
    ]);
  });

  it('only if they are recordings, and not together with --record', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'notes.txt'), 'half a li\nand another\n');
    expect(await runCli(['observe', '--from', 'notes.txt'], { folder })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^ARGUMENT_INVALID: \S*notes\.txt: none of the 2 lines belongs to a recording/,
      ) as string,
    });
    expect(await runCli(['observe', '--from', 'notes.txt', '--record', 'x/'], { folder })).toMatchObject({
      code: 2,
      stderr: 'error: --from cannot be combined with --record\n',
    });
  });
});
