import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesCleaner, lineCleaner } from '../../src/data/clean.js';

test('nothing to do, NFC, white space, both', () => {
  const line = ' cafe\u0301 \t\u00a0\u3000 x ';
  assert.equal(lineCleaner({ nfc: false, whitespace: false })(line), line);
  assert.equal(lineCleaner({ nfc: true, whitespace: false })(line), ' caf\u00e9 \t\u00a0\u3000 x ');
  assert.equal(lineCleaner({ nfc: false, whitespace: true })(line), 'cafe\u0301 x');
  assert.equal(lineCleaner({ nfc: true, whitespace: true })(line), 'caf\u00e9 x');
});

test('a line in which nothing can be seen is empty, whatever the options', () => {
  const blank = [
    '',
    ' ',
    '\t',
    '\r',
    '\x0b\x0c',
    '\x1c',
    '\x85',
    '\u00a0',
    '\u1680',
    '\u2003',
    '\u2028',
    '\u2029',
  ];
  const unseen = [
    '\u3000',
    '\ufeff',
    '\u00ad',
    '\u200b',
    '\u200e',
    '\u2060',
    '\u3164',
    '\ufe0f',
    ' \u3000\x85\u200b\t',
  ];
  for (const line of [...blank, ...unseen]) {
    for (const nfc of [false, true]) {
      for (const whitespace of [false, true]) {
        assert.equal(lineCleaner({ nfc, whitespace })(line), '', JSON.stringify(line));
      }
    }
  }
  for (const line of ['.', ' .\u3000', '\u0301', '\ue000', '\ufffd', '\u{1f600}\ufe0f', '\u3000a']) {
    assert.equal(lineCleaner({ nfc: false, whitespace: false })(line), line);
  }
});

test('white space is that of Unicode', () => {
  assert.equal(lineCleaner({ nfc: false, whitespace: true })('\x85a\x85\x85b\u2028\x0bc\x85'), 'a b c');
});

test('bytes are cleaned as text is', () => {
  const lines = ['', ' ', 'a  b ', 'cafe\u0301', '\u00ad', '\u00fc', ' \u3000x', '\u007f', '!', '\ufeff~'];
  for (const nfc of [false, true]) {
    for (const whitespace of [false, true]) {
      const [bytes, text] = [bytesCleaner({ nfc, whitespace }), lineCleaner({ nfc, whitespace })];
      for (const line of lines) assert.equal(bytes(Buffer.from(line)).toString(), text(line));
    }
  }
});
