/** From English to another language: sentences, forms, phrases in phrases, names that stay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factByFact, translator } from './translate.ts';

const german = translator({
  Remove: 'Entfernen',
  'Remove {0}?': '{0} entfernen?',
  'Remove {0} from {1}?': '{0} aus {1} entfernen?',
  'container {0}': 'den Container {0}',
  '{0} containers': '{0} Container',
  'No container is stopped.': 'Kein Container ist angehalten.',
  '{0} of {1}': '{0} von {1}',
  'Its files (all of them) are lost.': 'Seine Dateien (alle) gehen verloren.',
});

test('without translations everything stays as it is', () => {
  assert.equal(translator(undefined)('Remove web?'), 'Remove web?');
});

test('a sentence is found as it is, or by its form', () => {
  assert.equal(german('No container is stopped.'), 'Kein Container ist angehalten.');
  assert.equal(german('Remove web?'), 'web entfernen?');
  assert.equal(german('Its files (all of them) are lost.'), 'Seine Dateien (alle) gehen verloren.');
});

test('the form with more words of its own is taken, and what is put in may change its place', () => {
  assert.equal(german('Remove web from shop_net?'), 'web aus shop_net entfernen?');
});

test('phrases in a sentence are translated, single words are names', () => {
  assert.equal(german('Remove 3 containers?'), '3 Container entfernen?');
  assert.equal(german('Remove container web?'), 'den Container web entfernen?');
  assert.equal(german('Remove Remove?'), 'Remove entfernen?');
});

test('what is in no form stays, however hostile', () => {
  for (const text of ['', '{0}', 'a of', '$& of $1', `${'x '.repeat(50_000)}y`]) {
    assert.equal(german(text).includes('undefined'), false);
  }
  assert.equal(german('$& of $1'), '$& von $1');
  assert.equal(german('constructor'), 'constructor');
});

test('joined facts are translated one by one', () => {
  assert.equal(factByFact(german, 'busybox · 3 containers'), 'busybox · 3 Container');
  assert.equal(factByFact(german, 'Remove web?'), 'web entfernen?');
});
