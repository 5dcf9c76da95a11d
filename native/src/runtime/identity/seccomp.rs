//! An OCI seccomp profile as a BPF program, and the single-id answers (annotation
//! org.pinnace.single-id): calls that need more than one id succeed without effect, so that package
//! managers work. Compiling is pure; loading is one system call.

use super::bpf::{Condition, MAX_INSTRUCTIONS, Range, Rule, Section, Test, assemble};
use crate::error::{Failure, Kind};
use crate::runtime::spec::{Seccomp, SeccompArg, SeccompRule};
use crate::sys::runtime as sys;
use std::collections::BTreeMap;

/// A compiled filter, ready to load.
#[derive(Debug, Clone)]
pub struct Program {
    instructions: Vec<u64>,
    flags: u32,
}

const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0;
const ERRNO: u32 = 0x0005_0000;
const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 1;
const ENOSYS: u32 = 38;
/// Numbers from here on are x32's on x86_64.
const X32: u32 = 0x4000_0000;

/// OCI name, AUDIT_ARCH, table of numbers.
type Architecture = (&'static str, u32, fn(&str) -> Option<u32>);

/// The native one first; the second is its 32-bit companion.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURES: [Architecture; 2] = [
    ("SCMP_ARCH_X86_64", 0xc000_003e, |name| {
        number(name.parse::<syscalls::x86_64::Sysno>().ok()?.id())
    }),
    ("SCMP_ARCH_X86", 0x4000_0003, |name| {
        number(name.parse::<syscalls::x86::Sysno>().ok()?.id())
    }),
];
#[cfg(target_arch = "aarch64")]
const ARCHITECTURES: [Architecture; 2] = [
    ("SCMP_ARCH_AARCH64", 0xc000_00b7, |name| {
        number(name.parse::<syscalls::aarch64::Sysno>().ok()?.id())
    }),
    ("SCMP_ARCH_ARM", 0x4000_0028, |name| {
        number(name.parse::<syscalls::arm::Sysno>().ok()?.id())
    }),
];
const NATIVE: &str = ARCHITECTURES[0].0;

fn number(id: i32) -> Option<u32> {
    u32::try_from(id).ok()
}

impl Program {
    /// Compiles a profile. System calls that no table knows are left out, as runc does; with the
    /// default EPERM, calls newer than every one that the profile names answer ENOSYS, so that
    /// programs fall back. Errors: invalid (an unknown action or operator), not-implemented (notify).
    pub fn compile(profile: &Seccomp) -> Result<Self, Failure> {
        let default = action(&profile.default_action, profile.default_errno_ret)?;
        let rules = profile
            .syscalls
            .iter()
            .map(parse_rule)
            .collect::<Result<Vec<_>, _>>()?;
        let wanted = |name: &str| name == NATIVE || profile.architectures.iter().any(|listed| listed == name);
        let sections: Vec<Section> = ARCHITECTURES
            .into_iter()
            .filter(|(name, _, _)| wanted(name))
            .map(|(_, audit_arch, table)| Section {
                audit_arch,
                ranges: ranges(&by_number(profile, &rules, table), default),
            })
            .collect();
        let instructions = assemble(&sections, KILL_THREAD);
        if instructions.len() > MAX_INSTRUCTIONS {
            return Err(Failure::new(
                Kind::Invalid,
                format!(
                    "the seccomp profile needs {} instructions; the kernel takes {MAX_INSTRUCTIONS}",
                    instructions.len()
                ),
            ));
        }
        Ok(Self {
            instructions,
            flags: flags(&profile.flags)?,
        })
    }

    /// The answers of the single-id mode.
    pub fn single_id() -> Self {
        const NAMES: [&str; 21] = [
            "chown",
            "chown32",
            "fchown",
            "fchown32",
            "fchownat",
            "lchown",
            "lchown32",
            "setfsgid",
            "setfsgid32",
            "setfsuid",
            "setfsuid32",
            "setgid",
            "setgid32",
            "setgroups",
            "setgroups32",
            "setregid",
            "setresgid",
            "setresuid",
            "setreuid",
            "setuid",
            "setuid32",
        ];
        let sections: Vec<Section> = ARCHITECTURES
            .into_iter()
            .map(|(_, audit_arch, table)| {
                let rules = NAMES
                    .into_iter()
                    .filter_map(table)
                    .map(|nr| (nr, (Vec::new(), Some(ERRNO))))
                    .collect();
                Section {
                    audit_arch,
                    ranges: ranges(&rules, ALLOW),
                }
            })
            .collect();
        Self {
            instructions: assemble(&sections, ALLOW),
            flags: 0,
        }
    }

    /// Loads the filter for this process and what it becomes. Needs CAP_SYS_ADMIN or no_new_privs.
    pub fn load(&self) -> Result<(), Failure> {
        sys::seccomp_load(&self.instructions, self.flags)
            .map_err(|errno| Failure::errno("cannot load the seccomp filter", errno))
    }
}

/// The architectures that a profile may name here.
pub fn architectures() -> [&'static str; 2] {
    ARCHITECTURES.map(|(name, _, _)| name)
}

/// Rules with conditions, and the action without any.
type Answers = (Vec<Rule>, Option<u32>);

struct Parsed {
    action: u32,
    /// Each alternative is a set of conditions that must all hold; none: unconditional.
    alternatives: Vec<Vec<Condition>>,
}

fn parse_rule(rule: &SeccompRule) -> Result<Parsed, Failure> {
    let action = action(&rule.action, rule.errno_ret)?;
    let conditions = rule.args.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
    let twice = conditions
        .iter()
        .enumerate()
        .any(|(at, one)| conditions.iter().skip(at + 1).any(|two| two.index == one.index));
    // runc's reading of the specification: two tests of one argument are alternatives.
    let alternatives = match conditions.len() {
        0 => Vec::new(),
        _ if twice => conditions.into_iter().map(|condition| vec![condition]).collect(),
        _ => vec![conditions],
    };
    Ok(Parsed { action, alternatives })
}

fn by_number(profile: &Seccomp, rules: &[Parsed], table: fn(&str) -> Option<u32>) -> BTreeMap<u32, Answers> {
    let mut answers: BTreeMap<u32, Answers> = BTreeMap::new();
    for (rule, parsed) in profile.syscalls.iter().zip(rules) {
        for number in rule.names.iter().filter_map(|name| table(name)) {
            let (conditional, unconditional) = answers.entry(number).or_default();
            if parsed.alternatives.is_empty() {
                unconditional.get_or_insert(parsed.action);
            }
            for conditions in &parsed.alternatives {
                conditional.push(Rule {
                    conditions: conditions.clone(),
                    action: parsed.action,
                });
            }
        }
    }
    answers
}

/// Ranges of neighbours with the same answer.
fn ranges(answers: &BTreeMap<u32, Answers>, default: u32) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut push = |range: Range| {
        let same = ranges.last().is_some_and(|last| {
            last.rules.is_empty() && range.rules.is_empty() && last.action == range.action
        });
        if !same {
            ranges.push(range);
        }
    };
    let gap = |first: u32| Range {
        first,
        rules: Vec::new(),
        action: default,
    };
    let mut next = 0;
    for (number, (rules, unconditional)) in answers {
        if *number > next {
            push(gap(next));
        }
        push(Range {
            first: *number,
            rules: rules.clone(),
            action: unconditional.unwrap_or(default),
        });
        next = number + 1;
    }
    let newer = if default == ERRNO | EPERM && next > 0 {
        ERRNO | ENOSYS
    } else {
        default
    };
    push(Range {
        first: next,
        rules: Vec::new(),
        action: newer,
    });
    if next < X32 && !matches!(default, KILL_PROCESS | KILL_THREAD) {
        push(Range {
            first: X32,
            rules: Vec::new(),
            action: ERRNO | ENOSYS,
        });
    }
    ranges
}

fn action(name: &str, errno: Option<u32>) -> Result<u32, Failure> {
    let data = errno.unwrap_or(EPERM) & 0xffff;
    Ok(match name {
        "SCMP_ACT_ALLOW" => ALLOW,
        "SCMP_ACT_ERRNO" => ERRNO | data,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => KILL_THREAD,
        "SCMP_ACT_KILL_PROCESS" => KILL_PROCESS,
        "SCMP_ACT_TRAP" => 0x0003_0000,
        "SCMP_ACT_TRACE" => 0x7ff0_0000 | data,
        "SCMP_ACT_LOG" => 0x7ffc_0000,
        "SCMP_ACT_NOTIFY" => {
            return Err(Failure::new(
                Kind::NotImplemented,
                "seccomp: SCMP_ACT_NOTIFY is not supported; use another action in the profile",
            ));
        }
        _ => {
            return Err(Failure::new(
                Kind::Invalid,
                format!("seccomp: {name:?} is not an action"),
            ));
        }
    })
}

fn condition(arg: &SeccompArg) -> Result<Condition, Failure> {
    let test = match arg.op.as_str() {
        "SCMP_CMP_EQ" => Test::Equal,
        "SCMP_CMP_NE" => Test::NotEqual,
        "SCMP_CMP_LT" => Test::Less,
        "SCMP_CMP_LE" => Test::LessEqual,
        "SCMP_CMP_GT" => Test::Greater,
        "SCMP_CMP_GE" => Test::GreaterEqual,
        "SCMP_CMP_MASKED_EQ" => Test::MaskedEqual,
        other => {
            return Err(Failure::new(
                Kind::Invalid,
                format!("seccomp: {other:?} is not an operator"),
            ));
        }
    };
    if arg.index > 5 {
        return Err(Failure::new(
            Kind::Invalid,
            format!("seccomp: a system call has no argument {}", arg.index),
        ));
    }
    Ok(Condition {
        index: arg.index,
        test,
        value: arg.value,
        second: arg.value_two,
    })
}

fn flags(names: &[String]) -> Result<u32, Failure> {
    names.iter().try_fold(0, |flags, name| match name.as_str() {
        "SECCOMP_FILTER_FLAG_TSYNC" => Ok(flags | 1),
        "SECCOMP_FILTER_FLAG_LOG" => Ok(flags | 2),
        "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => Ok(flags | 4),
        other => Err(Failure::new(
            Kind::Invalid,
            format!("seccomp: {other:?} is not a flag"),
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Result<Program, Failure> {
        Program::compile(
            &serde_json::from_str(text).map_err(|err| Failure::new(Kind::Invalid, err.to_string()))?,
        )
    }

    #[test]
    fn four_hundred_calls_stay_small() -> Result<(), Failure> {
        let names: Vec<&str> = syscalls::x86_64::Sysno::iter().map(|call| call.name()).collect();
        let program = profile(
            &serde_json::json!({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
                "syscalls": [{"names": names, "action": "SCMP_ACT_ALLOW"}]})
            .to_string(),
        )?;
        assert!(program.instructions.len() < 600, "{}", program.instructions.len());
        Ok(())
    }

    #[test]
    fn an_unknown_action_operator_or_argument_is_an_error() {
        assert!(profile(r#"{"defaultAction":"SCMP_ACT_NONE"}"#).is_err());
        let rule = |arg: &str| {
            format!(
                r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{{"names":["read"],"action":"SCMP_ACT_KILL","args":[{arg}]}}]}}"#
            )
        };
        assert!(profile(&rule(r#"{"index":0,"value":1,"op":"SCMP_CMP_EQ"}"#)).is_ok());
        assert!(profile(&rule(r#"{"index":0,"value":1,"op":"=="}"#)).is_err());
        assert!(profile(&rule(r#"{"index":6,"value":1,"op":"SCMP_CMP_EQ"}"#)).is_err());
    }

    #[test]
    fn the_single_id_answers_fit_in_a_page() {
        assert!(Program::single_id().instructions.len() < 512);
    }
}
