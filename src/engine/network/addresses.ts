/** Arithmetic on IP addresses and prefixes (RFC 791, RFC 4291, text form RFC 5952). Pure; it knows no network. */

import { isIPv4, isIPv6 } from 'node:net';

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A prefix; `value` keeps the host bits of the text it was read from. */
export interface Prefix extends Address {
  readonly bits: number;
}

const WIDTH: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** undefined for anything but one address; IPv6 zones are refused. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: fromParts(text.split('.').map(Number), 8n) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  return { family: 6, value: fromParts(groupsOf(text), 16n) };
}

export function formatAddress({ family, value }: Address): string {
  if (family === 4) return partsOf(value, { count: 4, width: 8n }).join('.');
  return formatGroups(partsOf(value, { count: 8, width: 16n }));
}

/** `172.18.0.0/16`; undefined for anything else. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', bits = '', ...rest] = text.split('/');
  const parsed = parseAddress(address);
  if (parsed === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  return Number(bits) > WIDTH[parsed.family] ? undefined : { ...parsed, bits: Number(bits) };
}

/** With its host bits cleared. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress({ family: prefix.family, value: first(prefix) })}/${String(prefix.bits)}`;
}

/** The prefix' lowest address. */
export function first({ family, value, bits }: Prefix): bigint {
  const host = BigInt(WIDTH[family] - bits);
  return (value >> host) << host;
}

/** The prefix' highest address. */
export function last(prefix: Prefix): bigint {
  return first(prefix) + size(prefix) - 1n;
}

export function size({ family, bits }: Prefix): bigint {
  return 1n << BigInt(WIDTH[family] - bits);
}

export function contains(prefix: Prefix, address: Address): boolean {
  return (
    prefix.family === address.family &&
    address.value >= first(prefix) &&
    address.value <= last(prefix)
  );
}

export function overlap(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && first(a) <= last(b) && first(b) <= last(a);
}

function fromParts(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((value, part) => (value << width) | BigInt(part), 0n);
}

function partsOf(value: bigint, form: { count: number; width: bigint }): number[] {
  const mask = (1n << form.width) - 1n;
  return Array.from({ length: form.count }, (_, at) =>
    Number((value >> (form.width * BigInt(form.count - 1 - at))) & mask),
  );
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const left = groupsIn(head);
  if (tail === undefined) return left;
  const right = groupsIn(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function groupsIn(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The longest run of two or more zero groups becomes `::`. */
function formatGroups(groups: readonly number[]): string {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (at + length < groups.length && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (best.at < 0) return text(groups);
  return `${text(groups.slice(0, best.at))}::${text(groups.slice(best.at + best.length))}`;
}
