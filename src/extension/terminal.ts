/** Shows a TerminalSession in a terminal of the editor: keys to its input, its output to the screen. Knows nothing of containers. */
import { PassThrough, Writable } from 'node:stream';
import * as vscode from 'vscode';
import { messageOf } from '../lib/errors.ts';
import type { TerminalSession } from './commands/desk.ts';

type Size = { readonly columns: number; readonly rows: number };

/** What a terminal has before it is shown (ECMA-48's common default). */
const DEFAULT_SIZE: Size = { columns: 80, rows: 24 };

export function openTerminal(session: TerminalSession): void {
  const written = new vscode.EventEmitter<string>();
  const closed = new vscode.EventEmitter<number>();
  const input = new PassThrough();
  const abort = new AbortController();
  const resized: ((size: Size) => void)[] = [];
  let over = false;
  const end = (status: number): void => {
    over = true;
    closed.fire(status);
  };
  const pty: vscode.Pseudoterminal = {
    onDidWrite: written.event,
    onDidClose: closed.event,
    open: (dimensions) => {
      const io = {
        input,
        output: screen(written),
        size: dimensions ?? DEFAULT_SIZE,
        onResize: (listener: (size: Size) => void) => void resized.push(listener),
        signal: abort.signal,
      };
      session.run(io).then(end, (error: unknown) => {
        if (abort.signal.aborted) return;
        over = true;
        const text = messageOf(error).replaceAll(/\r?\n/g, '\r\n');
        written.fire(`\r\n\x1b[31m${text}\x1b[0m\r\n${vscode.l10n.t('Press any key to close.')}`);
      });
    },
    close: () => {
      abort.abort();
      input.end();
    },
    // A session that failed stays readable until a key.
    handleInput: (data) => {
      if (over) closed.fire(1);
      else input.write(data);
    },
    setDimensions: (size) => {
      for (const listener of resized) listener(size);
    },
  };
  vscode.window.createTerminal({ name: session.name, pty, isTransient: true }).show();
}

/** Output is bytes; characters that span chunks are put together. */
function screen(written: vscode.EventEmitter<string>): Writable {
  const decoder = new TextDecoder();
  return new Writable({
    decodeStrings: true,
    write: (chunk: Buffer, _encoding, done) => {
      written.fire(decoder.decode(chunk, { stream: true }));
      done();
    },
  });
}
