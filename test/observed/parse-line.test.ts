import { describe, expect, it } from 'vitest';

import { parseLine, timeOfLine } from '../../src/observed/recording-lines.ts';

const t = '2026-11-27T09:12:29.174Z';

describe('a line of a recording', () => {
  it.each([
    ['a message', { t, destination: '/topic/a', headers: { x: '1' }, body: { a: 1 } }, 'message', t],
    ['a message with text', { t, destination: '/topic/a', headers: {}, text: 'x' }, 'message', t],
    ['a message with a digest', { t, destination: '/topic/a', headers: {}, size: 1, sha256: 'f' }, 'message', t],
    ['a message whose body is null', { t, destination: '/topic/a', headers: {}, body: null }, 'message', t],
    [
      'a REST call',
      { t, method: 'GET', path: '/api/x/', query: {}, body: null, status: 200, answer: [], auth: null },
      'rest',
      t,
    ],
    ['a header', { capture: 1, t, by: 'x' }, 'note', undefined],
    ['a gap', { gap: { from: t, until: t, reason: 'x' } }, 'note', t],
    ['an end', { until: t }, 'note', t],
  ])('is read as %s', (_, line, kind, time) => {
    const read = parseLine(JSON.stringify(line));
    expect(read).toMatchObject({ kind, line });
    expect(timeOfLine(read)).toBe(time);
  });

  it.each([
    ['not JSON', '{"t":'],
    ['no time "t"', '{"t":"2026-13-45T09:12:29Z","destination":"/topic/a","body":1}'],
    ['no time "t"', '{"t":"at 2026-11-27T09:12:29Z","destination":"/topic/a","body":1}'],
    ['no time "t"', '{"t":"2026-11-27T09:12:29Z sharp","destination":"/topic/a","body":1}'],
    ['neither a message nor a REST call', `{"t":"${t}","method":"GET"}`],
    ['neither a message nor a REST call', `{"t":"${t}","path":"/api/"}`],
    ['a message without a body', `{"t":"${t}","destination":"/topic/a","size":1}`],
    ['a message without a body', `{"t":"${t}","destination":"/topic/a","sha256":"f"}`],
    ['a gap or an end without its time', `{"gap":{"from":"${t}"}}`],
    ['a gap or an end without its time', `{"gap":{"until":"${t}"}}`],
    ['a gap or an end without its time', '{"gap":null}'],
    ['not an object', '[1]'],
    ['not an object', 'null'],
    ['no time "t"', '{"destination":"/topic/a","headers":{},"body":1}'],
    ['no time "t"', '{"t":"2026-11-27T09:12:29","destination":"/topic/a","body":1}'],
    ['a message without a body', `{"t":"${t}","destination":"/topic/a","headers":{}}`],
    ['neither a message nor a REST call', `{"t":"${t}"}`],
    ['a gap or an end without its time', '{"gap":{"from":1}}'],
    ['a gap or an end without its time', '{"until":5}'],
  ])('is rejected for this reason: %s', (why, text) => {
    expect(parseLine(text)).toEqual({ kind: 'rejected', why });
  });

  it.each(['2026-11-27T09:12:29+01:00', '2026-11-27T09:12:29.123456+0000', '2026-11-27T09:12Z'])(
    'may have the time %s',
    (time) => {
      expect(parseLine(JSON.stringify({ t: time, destination: 'd', body: 1 })).kind).toBe('message');
    },
  );

  it('keeps only headers that are strings', () => {
    expect(parseLine(JSON.stringify({ t, destination: 'd', headers: { a: '1', b: 2 }, body: 1 }))).toMatchObject({
      line: { headers: { a: '1' } },
    });
    expect(parseLine(JSON.stringify({ t, destination: 'd', body: 1 }))).toMatchObject({ line: { headers: {} } });
  });
});
