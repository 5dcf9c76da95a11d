/** The kinds of semantic tokens, in the order that the protocol's numbers count them. */
import type { SemanticTokensLegend } from 'vscode-languageserver/node';

export const TOKEN_TYPES = [
  'keyword',
  'comment',
  'macro',
  'parameter',
  'property',
  'variable',
  'string',
  'namespace',
  'class',
  'operator',
  'number',
  'function',
] as const;

export type TokenType = (typeof TOKEN_TYPES)[number];

export const TOKEN_MODIFIERS = ['declaration', 'deprecated'] as const;

export type TokenModifier = (typeof TOKEN_MODIFIERS)[number];

export const LEGEND: SemanticTokensLegend = {
  tokenTypes: [...TOKEN_TYPES],
  tokenModifiers: [...TOKEN_MODIFIERS],
};

/** A piece of the file; pieces may contain one another, the inner one counts. */
export interface Token {
  readonly start: number;
  readonly end: number;
  readonly type: TokenType;
  readonly modifier?: TokenModifier;
}
