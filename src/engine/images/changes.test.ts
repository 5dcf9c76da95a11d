/** Dockerfile instructions as changes of a configuration. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunConfig } from '../../lib/image/config.ts';
import { applyChanges } from './changes.ts';

const cases: [string[], RunConfig][] = [
  [['CMD ["a","b"]'], { Cmd: ['a', 'b'] }],
  [['CMD echo hi'], { Cmd: ['/bin/sh', '-c', 'echo hi'] }],
  [['ENTRYPOINT ["/e"]'], { Entrypoint: ['/e'] }],
  [['ENV A=1 B="two words"', 'ENV A=$B'], { Env: ['A=two words', 'B=two words'] }],
  [['EXPOSE 80 53/udp'], { ExposedPorts: { '80/tcp': {}, '53/udp': {} } }],
  [['LABEL a=b'], { Labels: { a: 'b' } }],
  [['VOLUME /data'], { Volumes: { '/data': {} } }],
  [['USER app'], { User: 'app' }],
  [['WORKDIR /a', 'WORKDIR b/../c'], { WorkingDir: '/a/c' }],
  [['STOPSIGNAL SIGINT'], { StopSignal: 'SIGINT' }],
  [['ONBUILD RUN make'], { OnBuild: ['RUN make'] }],
  [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
  [
    ['HEALTHCHECK --retries=3 CMD true'],
    { Healthcheck: { Test: ['CMD-SHELL', 'true'], Retries: 3 } },
  ],
];
for (const [changes, expected] of cases) {
  test(`${changes.join('; ')} changes the configuration`, () => {
    assert.deepEqual(applyChanges({}, changes), expected);
  });
}

for (const change of ['RUN true', 'COPY a b', 'FROM x', 'NONSENSE', 'EXPOSE http', 'ENV']) {
  test(`${change} is refused by name`, () => {
    assert.throws(() => applyChanges({}, [change]), {
      kind: 'invalid',
      message: new RegExp(change),
    });
  });
}
