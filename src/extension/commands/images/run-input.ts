/** Reads what people type when they run an image: words as a shell splits them, ports and variables. Pure. */
import type { PortMap } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';

/** The words of a line, with quotes and backslashes as a POSIX shell has them; nothing is expanded. Throws `invalid` for an open quote. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (quote === "'") {
      if (char === "'") quote = '';
      else word = (word ?? '') + char;
    } else if (
      char === '\\' &&
      at + 1 < line.length &&
      (quote === '' || /["\\$`]/.test(line[at + 1] ?? ''))
    ) {
      at += 1;
      word = (word ?? '') + (line[at] ?? '');
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') throw new EngineError('invalid', `A quote is not closed: ${quote}`);
  if (word !== undefined) words.push(word);
  return words;
}

const PORT =
  /^(?:(?:(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]):)?(\d{0,5}):)?(\d{1,5})(?:\/(tcp|udp|sctp))?$/i;

/** `8080:80, 127.0.0.1::5432/udp` as an engine wants it. Throws `invalid` for what is no port. */
export function parsePorts(text: string): {
  readonly exposed: Record<string, object>;
  readonly bindings: PortMap;
} {
  const exposed: Record<string, object> = {};
  const bindings: PortMap = {};
  for (const part of text.split(/[\s,]+/).filter((piece) => piece !== '')) {
    const match = PORT.exec(part);
    const [, address = '', outside = '', inside = '', protocol = 'tcp'] = match ?? [];
    if (match === null || !isPort(inside) || (outside !== '' && !isPort(outside)))
      throw new EngineError('invalid', `Not a port: ${part} (8080:80, 80, 127.0.0.1:53:53/udp)`);
    const key = `${String(Number(inside))}/${protocol.toLowerCase()}`;
    exposed[key] = {};
    const binding = { HostIp: address.replaceAll(/[[\]]/g, ''), HostPort: outside };
    bindings[key] = [...(bindings[key] ?? []), binding];
  }
  return { exposed, bindings };
}

function isPort(text: string): boolean {
  const port = Number(text);
  return port >= 1 && port <= 65535;
}

/** `NAME=value` words. Throws `invalid` for a word without a name. */
export function parseVariables(text: string): string[] {
  const words = splitWords(text);
  const wrong = words.find((word) => !/^[^=\s]+=/.test(word));
  if (wrong !== undefined) throw new EngineError('invalid', `Not NAME=value: ${wrong}`);
  return words;
}
