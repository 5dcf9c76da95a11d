/** The entry of the mocha suite inside the extension host: VS Code calls `run`, which rejects when a test has failed. */
import Mocha from 'mocha';
import { activation } from './activation.ts';
import { language } from './language.ts';
import { SUITES_VARIABLE } from './names.ts';
import { scale } from './scale.ts';

/** What the suites are made of, handed in, since the bundle has no globals of mocha's. */
export interface Suite {
  readonly test: (name: string, work: () => Promise<void> | void) => void;
}

const SUITES = { activation, language, scale };

/** Milliseconds for one test on a loaded machine. */
const TIMEOUT = 60_000;

export async function run(): Promise<void> {
  const mocha = new Mocha({ timeout: TIMEOUT, reporter: 'spec', color: false });
  const wanted = (process.env[SUITES_VARIABLE] ?? 'activation,language').split(',');
  for (const [title, fill] of Object.entries(SUITES)) {
    if (!wanted.includes(title)) continue;
    const suite = Mocha.Suite.create(mocha.suite, title);
    fill({ test: (name, work) => suite.addTest(new Mocha.Test(name, async () => work())) });
  }
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
