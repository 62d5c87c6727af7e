import { describe, expect, it } from 'vitest';

import { fileAddressOf, isBelow, isElsewhere, isFileAddress, originOf } from '../../src/domain/file-address.ts';

describe('whether a text is an address of files', () => {
  it.each([
    ['http://host/data', true],
    ['https://host:8443/data/', true],
    ['root://host//data', true],
    ['roots://host//data', true],
    ['xroot://host//data', true],
    ['xroots://host//data', true],
    ['ftp://host/data', false],
    ['file:///data', false],
    ['/data', false],
    ['no address', false],
    ['root:/data', false],
    ['http://me@host/data', false],
    ['http://:pw@host/data', false],
    ['http://host/data?x=1', false],
    ['http://host/data#x', false],
  ])('%s: %s', (text, isOne) => {
    expect(isFileAddress(text)).toBe(isOne);
  });
});

it.each([
  ['http://host/x', true],
  ['xroots://host//x', true],
  ['file:///data/x', false],
  ['/data/x', false],
])('a file at %s is on another host: %s', (url, expected) => {
  expect(isElsewhere(url)).toBe(expected);
});

describe('whether a file is below a prefix', () => {
  it.each([
    ['http://host/data/e/x.stf', 'http://host/data', true],
    ['http://host/data/e/x.stf', 'http://host/data/', true],
    ['http://host/data/../data/e/x', 'http://host/data', true],
    ['http://host/data/../secret/x', 'http://host/data', false],
    ['http://host/database/x', 'http://host/data', false],
    ['http://host/data', 'http://host/data', false],
    ['https://host/data/x', 'http://host/data', false],
    ['http://host:81/data/x', 'http://host/data', false],
    ['http://other/data/x', 'http://host/data', false],
    ['http://me@host/data/x', 'http://host/data', false],
    ['http://:pw@host/data/x', 'http://host/data', false],
    ['http://host/data/..%2fsecret', 'http://host/data', false],
    ['http://host/data/a%5Cb', 'http://host/data', false],
    ['no address', 'http://host/data', false],
    ['http://host/data/x', 'no address', false],
  ])('%s below %s: %s', (file, prefix, expected) => {
    expect(isBelow(file, prefix)).toBe(expected);
  });
});

it('the address of a file joins its folder, the escaped execution id and the escaped name with single slashes', () => {
  expect(fileAddressOf('http://host/data/', 'a b', 'x?.stf')).toBe('http://host/data/a%20b/x%3F.stf');
  expect(fileAddressOf('http://host/data', 'a', 'x.stf')).toBe('http://host/data/a/x.stf');
});

it.each([
  ['http://host:81/data/x', 'http://host:81/'],
  ['root://host//data/x', 'root://host/'],
  ['data/x', 'data/x'],
])('the source of %s is %s', (url, origin) => {
  expect(originOf(url)).toBe(origin);
});
