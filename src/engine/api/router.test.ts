/** The router finds every route of the table by its own path, and nothing else. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathOf, ROUTES } from '../../lib/api/routes.ts';
import { createRouter } from './router.ts';

const route = createRouter();

test('every route of the table is found by a path made from its template', () => {
  for (const { name, method, path } of ROUTES) {
    const params = Object.fromEntries(
      [...path.matchAll(/\{(\w+)\}/g)].map(([, key]) => [key ?? '', 'x1']),
    );
    const match = route(method, pathOf(name, params));
    assert.equal(match?.route.name, name);
    assert.deepEqual(match.params, params);
  }
});

test('names and method-path pairs are unique', () => {
  assert.equal(new Set(ROUTES.map(({ name }) => name)).size, ROUTES.length);
  assert.equal(new Set(ROUTES.map(({ method, path }) => `${method} ${path}`)).size, ROUTES.length);
});

test('an image reference with slashes is one parameter, a container id with one is none', () => {
  assert.deepEqual(route('GET', '/images/ghcr.io/a/b:1/json')?.params, { name: 'ghcr.io/a/b:1' });
  assert.deepEqual(route('GET', '/images/a@sha256:00/get')?.params, { name: 'a@sha256:00' });
  assert.equal(route('GET', '/containers/a/b/json'), undefined);
});

test('a static path wins over a template', () => {
  assert.equal(route('GET', '/images/json')?.route.name, 'image.list');
  assert.equal(route('GET', '/images/get')?.route.name, 'image.save-many');
  assert.equal(route('POST', '/containers/create')?.route.name, 'container.create');
});

test('broken percent-encoding and a NUL are refused with the name of the parameter', () => {
  assert.throws(() => route('GET', '/containers/%/json'), /percent-encoding in \{id\}/);
  assert.throws(() => route('GET', '/containers/a%00b/json'), /\{id\} in the path holds a NUL/);
});
