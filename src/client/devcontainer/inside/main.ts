/** Our program inside containers, on the Node that was brought along: one verb, one file beside this. It is bundled into one file. */
import { launch } from './launch.ts';
import { dial, listen } from './relay.ts';
import { serveSftp } from './sftp.ts';

async function main([verb, target = '', host]: readonly string[]): Promise<void> {
  if (verb === 'launch') process.stdout.write(`${JSON.stringify(await launch())}\n`);
  else if (verb === 'dial') dial(target, host ?? '127.0.0.1');
  else if (verb === 'listen') listen(target, host ?? '');
  else if (verb === 'sftp') await serveSftp(process.stdin, process.stdout);
  else throw new Error(`no such verb: ${String(verb)}`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
