/** A log of a hundred thousand coloured lines in the real editor: how smoothly it follows, scrolls, is searched and wrapped, and what it takes of memory. A real container writes it. */
import assert from 'node:assert/strict';
import { LogView } from './parts/log-view.ts';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';
import { busy, type Frames, framesOf } from './support/frames.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] } });

const LINES = 100_000;

/** Coloured, of different lengths, every thousandth with what is searched for; then bursts once it is told to. */
const WRITER = `
print() {
  awk -v from=$1 -v to=$2 'BEGIN {
    for (i = from; i <= to; i++)
      printf "\\033[%dm%s\\033[0m line %d \\033[38;5;%dmrequest\\033[0m /api/items/%d %s\\n",
        31 + i % 6, i % 7 ? "INFO" : "WARN", i, i % 256, i, i % 1000 ? substr("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", 1, i % 79) : "needle"
  }'
}
print 1 ${LINES}
until [ -e /go ]; do usleep 20000; done
at=${LINES}
while [ $at -lt ${LINES + 8000} ]; do print $((at + 1)) $((at + 200)); at=$((at + 200)); usleep 50000; done
sleep 600
`;

function smooth(what: string, { worst, most }: Frames): void {
  const said = `${what}: worst ${worst.toFixed(0)} ms, 95 % within ${most.toFixed(0)} ms`;
  assert.ok(worst <= 100 * busy() && most <= 34 * busy(), said);
}

async function opened(bench: Parameters<Parameters<typeof test>[1]>[0]): Promise<LogView> {
  const { workbench } = bench;
  const containers = await (await workbench.activityBar.open('Pinnace')).view('Containers');
  const row = await containers.tree.row(/talkative/).waitFor();
  await (await row.contextMenu()).choose('Show Logs');
  return LogView.opened(workbench.page);
}

const text = (lines: number): string => `${lines.toLocaleString('en')} lines`;

test('a hundred thousand lines are there at once, and drawn without a hitch', async (bench) => {
  const { docker } = bench;
  const how = ['--network', 'none', '--stop-timeout', '0', '--name', 'talkative'];
  await docker('run', '-d', ...how, 'busybox', 'sh', '-c', WRITER);
  await until('all is written', async () =>
    (await docker('logs', '--tail', '1', 'talkative')).includes(`line ${LINES} `),
  );
  const log = await opened(bench);
  const loading = await framesOf(log.frame, async () => {
    await until('all lines', async () => (await log.amount()) === text(LINES));
  });
  smooth('loading', loading);
  await log.shows(`line ${LINES} `);
});

test('lines that come are followed without a hitch', async ({ workbench, docker }) => {
  const log = await LogView.opened(workbench.page);
  const following = await framesOf(log.frame, async () => {
    await docker('exec', 'talkative', 'touch', '/go');
    await until('the new lines', async () => (await log.amount()) === text(LINES + 8000));
  });
  smooth('following', following);
  await log.shows(`line ${LINES + 8000} `);
});

test('it scrolls, wraps and is searched without a hitch', async ({ workbench }) => {
  const log = await LogView.opened(workbench.page);
  const { page } = workbench;
  await log.frame.locator('.scroller').hover();
  const scrolling = await framesOf(log.frame, async () => {
    for (let turn = 0; turn < 40; turn += 1)
      await page.mouse.wheel(0, turn % 8 === 7 ? 2000 : -3000);
  });
  assert.equal(await log.isPressed('Scroll to New Lines'), false);
  smooth('scrolling', scrolling);
  const wrapping = await framesOf(log.frame, async () => {
    await log.press('Wrap Long Lines');
    await log.press('Show Timestamps (UTC)');
    await log.press('Wrap Long Lines');
  });
  smooth('wrapping', wrapping);
  const searching = await framesOf(log.frame, async () => {
    await log.search('needle', /^\d+ of 108$/);
  });
  smooth('searching', searching);
  const took = await log.frame.locator('body').evaluate<number, unknown>(SEARCH);
  assert.ok(took <= 200 * busy(), `the search took ${took.toFixed(0)} ms`);
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  assert.ok(usedSize < 200e6, `the whole window takes ${usedSize} bytes`);
});

/** For the page: types something that is in every line and tells how long it is until as many as are counted are counted. */
const SEARCH = `new Promise((resolve, reject) => {
  const input = document.querySelector('input');
  const count = document.querySelector('.count');
  const began = performance.now();
  input.value = 'request';
  input.dispatchEvent(new InputEvent('input'));
  const look = () => {
    const took = performance.now() - began;
    if (count.textContent.endsWith('100000+')) resolve(took);
    else if (took > 20000) reject(new Error(count.textContent));
    else setTimeout(look, 2);
  };
  look();
})`;
