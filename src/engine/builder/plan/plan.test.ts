/** Golden tests of the build graph: each testdata/NAME.Dockerfile with its NAME.golden. `UPDATE=1` rewrites them. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseDockerfile } from '../../../lib/dockerfile/parse.ts';
import { needsOf, printGraph } from './graph.ts';
import {
  imageKey,
  planBuild,
  problemMessage,
  type BaseImage,
  type Plan,
  type PlanInput,
} from './plan.ts';

const DATA = new URL('testdata/', import.meta.url);
const AMD64 = 'linux/amd64';

const busybox: BaseImage = {
  config: { Env: ['PATH=/bin'], Cmd: ['sh'], WorkingDir: '/' },
  author: undefined,
  platform: AMD64,
};
const triggers: BaseImage = {
  config: { OnBuild: ['COPY --from=tools:1 /t /t', 'RUN touch /triggered', 'ENV T=1'] },
  author: 'base author',
  platform: AMD64,
};

const IMAGES = new Map<string, BaseImage>([
  [imageKey({ ref: 'busybox', platform: AMD64 }), busybox],
  [imageKey({ ref: 'busybox:latest', platform: AMD64 }), busybox],
  [imageKey({ ref: 'debian:bookworm-slim', platform: AMD64 }), busybox],
  [imageKey({ ref: 'onbuild:1', platform: AMD64 }), triggers],
  [imageKey({ ref: 'tools:1', platform: AMD64 }), busybox],
]);

function inputOf(text: string, changes: Partial<PlanInput> = {}): PlanInput {
  return {
    file: parseDockerfile(text),
    buildArgs: {},
    labels: {},
    target: '',
    buildPlatform: AMD64,
    targetPlatform: '',
    network: 'default',
    images: IMAGES,
    ...changes,
  };
}

function printPlan(plan: Plan): string {
  if (plan.kind === 'graph') return printGraph(plan.graph);
  if (plan.kind === 'wants')
    return plan.images.map(({ ref, platform }) => `wants ${ref} for ${platform}\n`).join('');
  if (plan.kind === 'no-target') return `${plan.message}\n`;
  return `${plan.unsupported ? 'unsupported' : 'invalid'}\n${problemMessage(plan.problems)}\n`;
}

describe('the build graph', () => {
  for (const file of readdirSync(DATA).filter((name) => name.endsWith('.Dockerfile'))) {
    it(`of ${file} is as its golden file says`, () => {
      const text = readFileSync(new URL(file, DATA), 'utf8');
      const options = /^# test: (.*)$/m.exec(text)?.[1] ?? '{}';
      const printed = printPlan(
        planBuild(inputOf(text, JSON.parse(options) as Partial<PlanInput>)),
      );
      const golden = new URL(file.replace('.Dockerfile', '.golden'), DATA);
      if (process.env['UPDATE'] === '1') writeFileSync(golden, printed);
      assert.equal(printed, readFileSync(golden, 'utf8'));
    });
  }

  it('asks for the images of ONBUILD triggers once their image is known', () => {
    const images = new Map([...IMAGES].filter(([key]) => !key.startsWith('tools')));
    const plan = planBuild(inputOf('FROM onbuild:1\n', { images }));
    assert.deepEqual(plan, { kind: 'wants', images: [{ ref: 'tools:1', platform: AMD64 }] });
  });

  it('reports a wrong ONBUILD trigger at the FROM that brings it', () => {
    const bad: BaseImage = {
      config: { OnBuild: ['NONSENSE x'] },
      author: undefined,
      platform: AMD64,
    };
    const images = new Map([[imageKey({ ref: 'bad', platform: AMD64 }), bad]]);
    const plan = planBuild(inputOf('\n\nFROM bad\n', { images }));
    assert.equal(plan.kind, 'invalid');
    assert.equal(plan.problems[0]?.range.start.line, 2);
  });

  it('names the stages that a stage needs', () => {
    const plan = planBuild(
      inputOf(
        'FROM busybox AS a\nRUN x\nFROM busybox\nCOPY --from=a / /\nRUN --mount=from=a,target=/m true\n',
      ),
    );
    assert.equal(plan.kind, 'graph');
    assert.deepEqual(plan.graph.stages.map(needsOf), [[], [0]]);
  });

  it('keeps ENV before ARG of the same name, and a null build argument as not given', () => {
    const plan = planBuild(
      inputOf('FROM busybox\nENV A=env\nARG A=arg\nARG B=std\nRUN true\n', {
        buildArgs: { A: 'given', B: null },
      }),
    );
    assert.equal(plan.kind, 'graph');
    const run = plan.graph.stages[0]?.steps.at(-1)?.action;
    assert.equal(run?.kind, 'run');
    assert.deepEqual(run.env, ['PATH=/bin', 'A=env', 'B=std']);
  });

  it('survives a Dockerfile whose names are those of an object', () => {
    const plan = planBuild(
      inputOf(
        'FROM busybox\nLABEL __proto__=x constructor=y\nENV __proto__=1\nARG toString\nRUN echo $toString $__proto__\n',
      ),
    );
    assert.equal(plan.kind, 'graph');
    assert.equal(
      JSON.stringify(plan.graph.stages[0]?.config.Labels),
      '{"__proto__":"x","constructor":"y"}',
    );
  });
});
