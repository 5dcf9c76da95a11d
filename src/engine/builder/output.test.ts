/** The answer's text: order between stages, quiet builds, bounded memory. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOutput } from './output.ts';
import type { BuildMessage } from './types.ts';

function collect(options: { order: readonly number[]; quiet?: boolean }) {
  const messages: BuildMessage[] = [];
  const output = createOutput((message) => messages.push(message), { quiet: false, ...options });
  const text = (): string => messages.map(({ stream }) => stream ?? '').join('');
  return { messages, output, text };
}

describe('the output of a build', () => {
  it('writes the first stage at once and holds the others until their turn', () => {
    const { output, text } = collect({ order: [0, 1, 2] });
    const [a, b, c] = [output.stage(0), output.stage(1), output.stage(2)];
    b.text('b1 ');
    a.text('a1 ');
    c.text('c1 ');
    assert.equal(text(), 'a1 ');
    c.end();
    b.end();
    a.text('a2 ');
    a.end();
    assert.equal(text(), 'a1 a2 b1 c1 ');
  });

  it('lets a stage write straight through once those before it are over', () => {
    const { output, text } = collect({ order: [0, 3] });
    const [a, b] = [output.stage(0), output.stage(3)];
    a.end();
    b.text('now');
    assert.equal(text(), 'now');
  });

  it('shows what a failed stage held', () => {
    const { output, text } = collect({ order: [0, 1] });
    output.stage(1).text('why');
    assert.equal(text(), '');
    output.fail(1);
    assert.equal(text(), 'why');
  });

  it('is silent when quiet, but for the id and for a failure', () => {
    const quiet = collect({ order: [0], quiet: true });
    quiet.output.stage(0).text('x');
    quiet.output.finish('sha256:1', ['t']);
    assert.deepEqual(quiet.messages, [{ aux: { ID: 'sha256:1' } }]);
    const failed = collect({ order: [0], quiet: true });
    failed.output.stage(0).text('why');
    failed.output.fail(0);
    assert.equal(failed.text(), 'why');
  });

  it('drops the oldest text of a waiting stage that prints without end', () => {
    const { output, text } = collect({ order: [0, 1] });
    const waiting = output.stage(1);
    for (let line = 0; line < 100; line++)
      waiting.text(`${String(line).padStart(3)}${'x'.repeat(100_000)}`);
    waiting.end();
    output.stage(0).end();
    assert.ok(text().length <= 5 * 1024 * 1024);
    assert.ok(text().includes(' 99x'));
  });
});
