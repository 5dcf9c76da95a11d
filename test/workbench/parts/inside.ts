/** The windows that open inside containers, and what their terminals write there. */
import { existsSync, readFileSync } from 'node:fs';
import { PATIENCE, until } from './patience.ts';
import { Workbench } from './workbench.ts';

/** What a terminal may take to show what was typed, before it is typed again: a busy one loses keys. */
const TYPED_MS = 5000;

/** The window that `act` opens, loaded. */
export async function windowOf(workbench: Workbench, act: () => Promise<void>): Promise<Workbench> {
  const opens = workbench.page.context().waitForEvent('page', { timeout: 3 * PATIENCE });
  const [page] = await Promise.all([opens, act()]);
  const window = new Workbench(page);
  await window.loaded();
  return window;
}

/** Types a line that writes the file, until it is there with a whole line; its text. The line may run several times. */
export async function typed(window: Workbench, line: string, file: string): Promise<string> {
  return until(
    `${line} has written ${file}`,
    async () => {
      await window.terminal.send(line);
      return until(file, () => wholeText(file), TYPED_MS);
    },
    2 * PATIENCE,
  );
}

/** The text of a file that ends with a whole line; undefined while there is none. */
export function wholeText(file: string): string | undefined {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.endsWith('\n') ? text : undefined;
}
