/** The one table of rules: parser, comments, command line, editor and documentation take them from here. */
import { fromPlatformFlagConstDisallowed } from './rules/base/from-platform-flag-const-disallowed.ts';
import { invalidBaseImagePlatform } from './rules/base/invalid-base-image-platform.ts';
import { invalidDefaultArgInFrom } from './rules/base/invalid-default-arg-in-from.ts';
import { invalidReferenceFormat } from './rules/base/invalid-reference-format.ts';
import { noLatestTag } from './rules/base/no-latest-tag.ts';
import { pinImageTag } from './rules/base/pin-image-tag.ts';
import { redundantTargetPlatform } from './rules/base/redundant-target-platform.ts';
import { trustedRegistry } from './rules/base/trusted-registry.ts';
import { undefinedArgInFrom } from './rules/base/undefined-arg-in-from.ts';
import { guardCd } from './rules/commands/guard-cd.ts';
import { noSudo } from './rules/commands/no-sudo.ts';
import { pointlessCommand } from './rules/commands/pointless-command.ts';
import { setPipefail } from './rules/commands/set-pipefail.ts';
import { useShell } from './rules/commands/use-shell.ts';
import { useWorkdir } from './rules/commands/use-workdir.ts';
import { uselessCat } from './rules/commands/useless-cat.ts';
import { useraddNoLogInit } from './rules/commands/useradd-no-log-init.ts';
import { wgetOrCurl } from './rules/commands/wget-or-curl.ts';
import { wgetProgress } from './rules/commands/wget-progress.ts';
import { aptGetYes } from './rules/debian/apt-get-yes.ts';
import { aptNoRecommends } from './rules/debian/apt-no-recommends.ts';
import { pinAptPackages } from './rules/debian/pin-apt-packages.ts';
import { removeAptLists } from './rules/debian/remove-apt-lists.ts';
import { useAptGet } from './rules/debian/use-apt-get.ts';
import { absoluteWorkdir } from './rules/files/absolute-workdir.ts';
import { copyDestinationDirectory } from './rules/files/copy-destination-directory.ts';
import { copyFromUnknownStage } from './rules/files/copy-from-unknown-stage.ts';
import { copyIgnoredFile } from './rules/files/copy-ignored-file.ts';
import { copyRelativeDestination } from './rules/files/copy-relative-destination.ts';
import { copySourceMissing } from './rules/files/copy-source-missing.ts';
import { copyWholeFilesystem } from './rules/files/copy-whole-filesystem.ts';
import { sourceOutsideContext } from './rules/files/source-outside-context.ts';
import { useAddForArchive } from './rules/files/use-add-for-archive.ts';
import { useCopy } from './rules/files/use-copy.ts';
import { workdirRelativePath } from './rules/files/workdir-relative-path.ts';
import { ampersandSemicolon } from './rules/grammar/ampersand-semicolon.ts';
import { andOrChain } from './rules/grammar/and-or-chain.ts';
import { declareAndAssign } from './rules/grammar/declare-and-assign.ts';
import { dollarAssignment } from './rules/grammar/dollar-assignment.ts';
import { dollarLoopVariable } from './rules/grammar/dollar-loop-variable.ts';
import { doubleEqualsAssignment } from './rules/grammar/double-equals-assignment.ts';
import { functionBodySpace } from './rules/grammar/function-body-space.ts';
import { functionParameters } from './rules/grammar/function-parameters.ts';
import { keywordCasing } from './rules/grammar/keyword-casing.ts';
import { missingSeparator } from './rules/grammar/missing-separator.ts';
import { missingSpace } from './rules/grammar/missing-space.ts';
import { posixShell } from './rules/grammar/posix-shell.ts';
import { shellSyntax } from './rules/grammar/shell-syntax.ts';
import { sourceNotFollowed } from './rules/grammar/source-not-followed.ts';
import { spaceAfterEquals } from './rules/grammar/space-after-equals.ts';
import { spaceBeforeComment } from './rules/grammar/space-before-comment.ts';
import { spacedAssignment } from './rules/grammar/spaced-assignment.ts';
import { unassignedVariable } from './rules/grammar/unassigned-variable.ts';
import { invalidLabelKey } from './rules/labels/invalid-label-key.ts';
import { labelEmail } from './rules/labels/label-email.ts';
import { labelEmpty } from './rules/labels/label-empty.ts';
import { labelHash } from './rules/labels/label-hash.ts';
import { labelLicense } from './rules/labels/label-license.ts';
import { labelMissing } from './rules/labels/label-missing.ts';
import { labelSemver } from './rules/labels/label-semver.ts';
import { labelSuperfluous } from './rules/labels/label-superfluous.ts';
import { labelTime } from './rules/labels/label-time.ts';
import { labelUrl } from './rules/labels/label-url.ts';
import { apkNoCache } from './rules/languages/apk-no-cache.ts';
import { pinApkPackages } from './rules/languages/pin-apk-packages.ts';
import { pinGemPackages } from './rules/languages/pin-gem-packages.ts';
import { pinGoPackages } from './rules/languages/pin-go-packages.ts';
import { pinNpmPackages } from './rules/languages/pin-npm-packages.ts';
import { pinPipPackages } from './rules/languages/pin-pip-packages.ts';
import { pipNoCache } from './rules/languages/pip-no-cache.ts';
import { yarnCacheClean } from './rules/languages/yarn-cache-clean.ts';
import { arrayBraces } from './rules/quoting/array-braces.ts';
import { brokenDoubleQuotes } from './rules/quoting/broken-double-quotes.ts';
import { echoEscapes } from './rules/quoting/echo-escapes.ts';
import { globLikeOption } from './rules/quoting/glob-like-option.ts';
import { literalBrace } from './rules/quoting/literal-brace.ts';
import { literalDollar } from './rules/quoting/literal-dollar.ts';
import { nestedSingleQuotes } from './rules/quoting/nested-single-quotes.ts';
import { nonBreakingSpace } from './rules/quoting/non-breaking-space.ts';
import { quoteEval } from './rules/quoting/quote-eval.ts';
import { quoteSubstitution } from './rules/quoting/quote-substitution.ts';
import { quoteVariable } from './rules/quoting/quote-variable.ts';
import { slantedBacktick } from './rules/quoting/slanted-backtick.ts';
import { suspectEndQuote } from './rules/quoting/suspect-end-quote.ts';
import { unclosedQuote } from './rules/quoting/unclosed-quote.ts';
import { uselessBackslash } from './rules/quoting/useless-backslash.ts';
import { dnfClean } from './rules/redhat/dnf-clean.ts';
import { dnfYes } from './rules/redhat/dnf-yes.ts';
import { microdnfClean } from './rules/redhat/microdnf-clean.ts';
import { noZypperDistUpgrade } from './rules/redhat/no-zypper-dist-upgrade.ts';
import { pinDnfPackages } from './rules/redhat/pin-dnf-packages.ts';
import { pinYumPackages } from './rules/redhat/pin-yum-packages.ts';
import { pinZypperPackages } from './rules/redhat/pin-zypper-packages.ts';
import { yumClean } from './rules/redhat/yum-clean.ts';
import { yumYes } from './rules/redhat/yum-yes.ts';
import { zypperClean } from './rules/redhat/zypper-clean.ts';
import { zypperYes } from './rules/redhat/zypper-yes.ts';
import { consecutiveRun } from './rules/settings/consecutive-run.ts';
import { exposeInvalidFormat } from './rules/settings/expose-invalid-format.ts';
import { exposeProtoCasing } from './rules/settings/expose-proto-casing.ts';
import { healthcheckMissing } from './rules/settings/healthcheck-missing.ts';
import { invalidPort } from './rules/settings/invalid-port.ts';
import { invalidProtocol } from './rules/settings/invalid-protocol.ts';
import { invalidSignal } from './rules/settings/invalid-signal.ts';
import { jsonArgsRecommended } from './rules/settings/json-args-recommended.ts';
import { lastUserRoot } from './rules/settings/last-user-root.ts';
import { nonNumericUser } from './rules/settings/non-numeric-user.ts';
import { consistentInstructionCasing } from './rules/style/consistent-instruction-casing.ts';
import { directiveCasing } from './rules/style/directive-casing.ts';
import { invalidDefinitionDescription } from './rules/style/invalid-definition-description.ts';
import { ignorePragma, unknownRule, invalidCheckDirective } from './rules/style/pragmas.ts';
import { uppercaseInstructions } from './rules/style/uppercase-instructions.ts';
import { duplicateFlag } from './rules/syntax/duplicate-flag.ts';
import { fromAsCasing } from './rules/syntax/from-as-casing.ts';
import { invalidDirective } from './rules/syntax/invalid-directive.ts';
import { invalidDuration } from './rules/syntax/invalid-duration.ts';
import { invalidFlagValue } from './rules/syntax/invalid-flag-value.ts';
import { invalidJson } from './rules/syntax/invalid-json.ts';
import { invalidMount } from './rules/syntax/invalid-mount.ts';
import { invalidStageName } from './rules/syntax/invalid-stage-name.ts';
import { legacyKeyValueFormat } from './rules/syntax/legacy-key-value-format.ts';
import { maintainerDeprecated } from './rules/syntax/maintainer-deprecated.ts';
import { multipleInstructionsDisallowed } from './rules/syntax/multiple-instructions-disallowed.ts';
import { noEmptyContinuation } from './rules/syntax/no-empty-continuation.ts';
import { reservedStageName } from './rules/syntax/reserved-stage-name.ts';
import { stageNameCasing } from './rules/syntax/stage-name-casing.ts';
import { tooManyArguments } from './rules/syntax/too-many-arguments.ts';
import { unknownFlag } from './rules/syntax/unknown-flag.ts';
import { unknownInstruction } from './rules/syntax/unknown-instruction.ts';
import { unterminatedHeredoc } from './rules/syntax/unterminated-heredoc.ts';
import { envSelfReference } from './rules/variables/env-self-reference.ts';
import { invalidExpansion } from './rules/variables/invalid-expansion.ts';
import { secretsUsedInArgOrEnv } from './rules/variables/secrets-used-in-arg-or-env.ts';
import { undefinedVar } from './rules/variables/undefined-var.ts';
import { unterminatedQuote } from './rules/variables/unterminated-quote.ts';
import { PARSER_CODES } from './rules/syntax/parser-codes.ts';
import type { Rule } from './rule.ts';

/** Every rule, sorted by family and file. */
export const RULES: readonly Rule[] = [
  ...PARSER_CODES,
  fromPlatformFlagConstDisallowed,
  invalidBaseImagePlatform,
  invalidDefaultArgInFrom,
  invalidReferenceFormat,
  noLatestTag,
  pinImageTag,
  redundantTargetPlatform,
  trustedRegistry,
  undefinedArgInFrom,
  guardCd,
  noSudo,
  pointlessCommand,
  setPipefail,
  useShell,
  useWorkdir,
  uselessCat,
  useraddNoLogInit,
  wgetOrCurl,
  wgetProgress,
  aptGetYes,
  aptNoRecommends,
  pinAptPackages,
  removeAptLists,
  useAptGet,
  absoluteWorkdir,
  copyDestinationDirectory,
  copyFromUnknownStage,
  copyIgnoredFile,
  copyRelativeDestination,
  copySourceMissing,
  copyWholeFilesystem,
  sourceOutsideContext,
  useAddForArchive,
  useCopy,
  workdirRelativePath,
  ampersandSemicolon,
  andOrChain,
  declareAndAssign,
  dollarAssignment,
  dollarLoopVariable,
  doubleEqualsAssignment,
  functionBodySpace,
  functionParameters,
  keywordCasing,
  missingSeparator,
  missingSpace,
  posixShell,
  shellSyntax,
  sourceNotFollowed,
  spaceAfterEquals,
  spaceBeforeComment,
  spacedAssignment,
  unassignedVariable,
  invalidLabelKey,
  labelEmail,
  labelEmpty,
  labelHash,
  labelLicense,
  labelMissing,
  labelSemver,
  labelSuperfluous,
  labelTime,
  labelUrl,
  apkNoCache,
  pinApkPackages,
  pinGemPackages,
  pinGoPackages,
  pinNpmPackages,
  pinPipPackages,
  pipNoCache,
  yarnCacheClean,
  arrayBraces,
  brokenDoubleQuotes,
  echoEscapes,
  globLikeOption,
  literalBrace,
  literalDollar,
  nestedSingleQuotes,
  nonBreakingSpace,
  quoteEval,
  quoteSubstitution,
  quoteVariable,
  slantedBacktick,
  suspectEndQuote,
  unclosedQuote,
  uselessBackslash,
  dnfClean,
  dnfYes,
  microdnfClean,
  noZypperDistUpgrade,
  pinDnfPackages,
  pinYumPackages,
  pinZypperPackages,
  yumClean,
  yumYes,
  zypperClean,
  zypperYes,
  consecutiveRun,
  exposeInvalidFormat,
  exposeProtoCasing,
  healthcheckMissing,
  invalidPort,
  invalidProtocol,
  invalidSignal,
  jsonArgsRecommended,
  lastUserRoot,
  nonNumericUser,
  consistentInstructionCasing,
  directiveCasing,
  invalidDefinitionDescription,
  ignorePragma,
  unknownRule,
  invalidCheckDirective,
  uppercaseInstructions,
  duplicateFlag,
  fromAsCasing,
  invalidDirective,
  invalidDuration,
  invalidFlagValue,
  invalidJson,
  invalidMount,
  invalidStageName,
  legacyKeyValueFormat,
  maintainerDeprecated,
  multipleInstructionsDisallowed,
  noEmptyContinuation,
  reservedStageName,
  stageNameCasing,
  tooManyArguments,
  unknownFlag,
  unknownInstruction,
  unterminatedHeredoc,
  envSelfReference,
  invalidExpansion,
  secretsUsedInArgOrEnv,
  undefinedVar,
  unterminatedQuote,
];

const BY_ID = new Map(RULES.map((rule) => [rule.id, rule]));

/** The rule of an id. */
export function ruleOf(id: string): Rule | undefined {
  return BY_ID.get(id);
}

const BY_NAME = new Map<string, Rule[]>();
for (const rule of RULES) {
  for (const name of [rule.id, ...rule.aliases]) {
    const key = name.toLowerCase();
    const known = BY_NAME.get(key);
    if (known === undefined) BY_NAME.set(key, [rule]);
    else known.push(rule);
  }
}

/** The rules that an id or alias (in any casing) names. */
export function rulesNamed(name: string): readonly Rule[] {
  return BY_NAME.get(name.toLowerCase()) ?? [];
}

/** Every id and alias, each once. */
export const ALL_NAMES: readonly string[] = [
  ...new Set(RULES.flatMap(({ id, aliases }) => [id, ...aliases])),
];

/** The rule's page below docs/rules. */
export function pageOf(id: string): string {
  return `${id
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()}.md`;
}
