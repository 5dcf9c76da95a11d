/** Tests of docker's templates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, type Value } from './template.ts';

const CONTAINER: Value = {
  Name: '/one',
  State: { Running: true, ExitCode: 0 },
  Args: ['a', 'b'],
  Labels: { x: '1', y: '2' },
  Nothing: null,
};

const CASES: [template: string, expected: string][] = [
  ['{{.Name}}', '/one'],
  ['{{.State.Running}} {{.State.ExitCode}}', 'true 0'],
  ['{{json .State}}', '{"Running":true,"ExitCode":0}'],
  ['{{range .Args}}<{{.}}>{{end}}', '<a><b>'],
  ['{{range $i, $arg := .Args}}{{$i}}={{$arg}} {{end}}', '0=a 1=b '],
  ['{{range $k, $v := .Labels}}{{$k}}:{{$v}},{{end}}', 'x:1,y:2,'],
  ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
  ['{{if eq .State.ExitCode 1}}one{{else if eq .State.ExitCode 0}}zero{{end}}', 'zero'],
  ['{{with .State}}{{.ExitCode}}{{end}}', '0'],
  ['{{index .Labels "x"}}{{index .Args 1}}', '1b'],
  ['{{join .Args ","}}', 'a,b'],
  ['{{.Name | upper | printf "%-6s|"}}', '/ONE  |'],
  ['{{len .Args}} {{.Args}} {{.Labels}}', '2 [a b] map[x:1 y:2]'],
  ['{{.Nothing}}', '<no value>'],
  ['a\\tb{{- " c" -}}  d', 'a\tb cd'],
  ['{{/* a comment */}}x', 'x'],
  ['{{(index .Args 0)}}{{not .State.Running}}', 'afalse'],
];

for (const [template, expected] of CASES) {
  test(`${template} prints ${JSON.stringify(expected)}`, () => {
    assert.equal(compile(template)(CONTAINER), expected);
  });
}

for (const wrong of [
  '{{.Name',
  '{{nofunc .}}',
  '{{if .Name}}',
  '{{end}}',
  '{{"a" | .Name}}',
  '{{.Name.First}}',
  '{{.Missing}}',
  '{{%}}',
]) {
  test(`${wrong} is an error that says so`, () => {
    assert.throws(() => compile(wrong)(CONTAINER), /template parsing error/);
  });
}
