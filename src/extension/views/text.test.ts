/** Tests of the texts of rows, with hostile ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clean,
  commandLink,
  compareText,
  escapeMarkdown,
  filterWords,
  matches,
  naturalKey,
  shortId,
  size,
  span,
} from './text.ts';

test('control and direction characters are replaced, and nothing that is no text gets through', () => {
  assert.equal(clean('a\nb\u202ec\u0007\ud800'), 'a\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}');
  assert.equal(clean(null), '');
  assert.equal(clean({}), '');
  assert.equal(clean(7), '7');
  assert.equal(clean('x'.repeat(10_000)).length, 501);
});

test('markdown of strangers has no character that markdown reads', () => {
  const hostile =
    '[x](command:evil) <img src=x> | `code` **b** $(zap) https://a.b ~~s~~ \\ # - 1. a&b _i_ !';
  const escaped = escapeMarkdown(hostile);
  assert.doesNotMatch(escaped.replace(/&#\d+;/g, ''), /[\\`*_{}[\]()<>|~$@:/#!]/);
  const back = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  assert.equal(back, hostile);
});

test('a command link cannot be ended by its arguments', () => {
  const link = commandLink('l', 'pinnace.x', { a: ")](command:evil) '" });
  assert.match(link, /^\[l\]\(command:pinnace\.x\?[^()' ]+\)$/);
  const query = /\?(.*)\)$/.exec(link)?.[1] ?? '';
  assert.deepEqual(JSON.parse(decodeURIComponent(query)), [{ a: ")](command:evil) '" }]);
});

test('sizes are counted as the docker command counts', () => {
  const sizes = [0, 999, 1000, 1234, 12_345_678, 999_600, 5e15, -1, NaN, null].map(size);
  assert.deepEqual(sizes, [
    '0 B',
    '999 B',
    '1 kB',
    '1.23 kB',
    '12.3 MB',
    '1 MB',
    '5 PB',
    '',
    '',
    '',
  ]);
});

test('spans have the words of docker ps', () => {
  const spans = [0, 1, 59, 60, 3599, 7200, 47 * 3600, 3 * 86_400, 21 * 86_400, 90 * 86_400, 1e9];
  assert.deepEqual(spans.map(span), [
    'less than a second',
    '1 second',
    '59 seconds',
    '1 minute',
    '59 minutes',
    '2 hours',
    '47 hours',
    '3 days',
    '3 weeks',
    '3 months',
    '31 years',
  ]);
});

test('names sort as people count', () => {
  const names = ['web-10', 'Web-2', 'web-02b', 'api', 'web-1', `web-${'9'.repeat(2000)}`];
  const keyed = names.map((name) => [naturalKey(name), name] as const);
  const sorted = keyed.sort(([a], [b]) => compareText(a, b)).map(([, name]) => name.slice(0, 8));
  assert.deepEqual(sorted, ['api', 'web-1', 'Web-2', 'web-02b', 'web-10', 'web-9999']);
});

test('a filter wants all of its words', () => {
  const words = filterWords('  Web  RUNNING ');
  assert.equal(matches(words, 'web-1\nrunning'), true);
  assert.equal(matches(words, 'web-1\nexited'), false);
  assert.equal(matches(filterWords(' '), ''), true);
});

test('an id is cut to twelve digits', () => {
  assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab');
  assert.equal(shortId(null), '');
});
