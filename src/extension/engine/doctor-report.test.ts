/** The doctor's report has the worst first and is text for others too; what is no report is told apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReport } from './doctor-report.ts';

test('what failed comes first, with its remedy', () => {
  const findings = [
    { id: 'a', level: 'ok', message: 'fine', remedy: null },
    {
      id: 'b',
      level: 'fail',
      message: 'no uidmap',
      remedy: 'apt-get install uidmap\nlog in again',
    },
  ];
  const report = readReport(JSON.stringify({ mode: 'none', findings, probe: null }));
  assert.deepEqual(
    report?.findings.map(({ id }) => id),
    ['b', 'a'],
  );
  assert.match(
    report.text,
    /cannot run here yet.*\n\n✗ no uidmap\n {4}→ apt-get install uidmap\n {4}→ log in again\n✓ fine\n$/s,
  );
});

test('what is no report is undefined', () => {
  for (const text of ['', 'null', '[]', '{}', '{"findings":1}', 'pinnace: broken'])
    assert.equal(readReport(text), undefined, text);
});
