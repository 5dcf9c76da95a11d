//! Assembles device rules into an eBPF program for a v2 cgroup. Pure; it neither loads nor attaches.
//! Instructions are `struct bpf_insn` packed in 8 little-endian bytes (linux/bpf.h), on the context
//! `struct bpf_cgroup_dev_ctx` { access << 16 | type, major, minor }.

use super::super::spec::DeviceRule;
use crate::error::{Failure, Kind};

pub const BLOCK: u32 = 1;
pub const CHARACTER: u32 = 2;

pub const MAKE: u32 = 1;
pub const READ: u32 = 2;
pub const WRITE: u32 = 4;
const ALL: u32 = MAKE | READ | WRITE;

/// A rule as the kernel sees a device; None is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub allow: bool,
    pub kind: Option<u32>,
    pub major: Option<u32>,
    pub minor: Option<u32>,
    /// Not zero.
    pub access: u32,
}

impl Rule {
    pub fn parse(rule: &DeviceRule) -> Result<Self, Failure> {
        let invalid = |what: String| Failure::new(Kind::Invalid, format!("linux.resources.devices: {what}"));
        let kind = match rule.kind.as_deref() {
            None | Some("" | "a") => None,
            Some("b") => Some(BLOCK),
            Some("c" | "u") => Some(CHARACTER),
            Some(other) => return Err(invalid(format!("type {other:?} is none of a, b, c, u"))),
        };
        let number = |number: Option<i64>| {
            number
                .filter(|number| *number >= 0)
                .map(|number| {
                    u32::try_from(number).map_err(|_| invalid(format!("{number} is no device number")))
                })
                .transpose()
        };
        let mut access = 0;
        for letter in rule.access.as_deref().unwrap_or_default().chars() {
            access |= match letter {
                'r' => READ,
                'w' => WRITE,
                'm' => MAKE,
                _ => return Err(invalid(format!("access {letter:?} is none of r, w, m"))),
            };
        }
        Ok(Self {
            allow: rule.allow,
            kind,
            major: number(rule.major)?,
            minor: number(rule.minor)?,
            access: if access == 0 { ALL } else { access },
        })
    }

    fn names_all_devices(&self) -> bool {
        (self.kind, self.major, self.minor) == (None, None, None)
    }
}

/// With more, jumps would not fit their 16 bits.
pub const MOST_RULES: usize = 4000;

const LOAD_WORD: u8 = 0x61;
const SHIFT_RIGHT: u8 = 0x74;
const AND: u8 = 0x54;
const MOVE: u8 = 0xb4;
const JUMP: u8 = 0x05;
/// Of 32 bits, so that numbers above i32::MAX compare as they are.
const JUMP_UNEQUAL: u8 = 0x56;
const JUMP_ANY_BIT: u8 = 0x46;
const EXIT: u8 = 0x95;

const RESULT: u8 = 0;
const CONTEXT: u8 = 1;
const VALUE: u8 = 2;

/// The program: for each access that is asked for, the last rule that names it decides; all must be
/// allowed, and what no rule names is denied. Every test loads its value anew: what the kernel's
/// verifier learnt from other tests then does not count, and it stays linear in the rules.
pub fn assemble(rules: &[Rule]) -> Vec<u64> {
    let mut program = vec![plain(MOVE, RESULT, 0)];
    for access in [MAKE, READ, WRITE] {
        let chain = chain(rules, access);
        program.extend([
            load(0),
            plain(SHIFT_RIGHT, VALUE, 16),
            branch(JUMP_ANY_BIT, VALUE, access, 1),
            branch(JUMP, 0, 0, chain.len() as u64),
        ]);
        program.extend(chain);
    }
    program.extend([plain(MOVE, RESULT, 1), plain(EXIT, 0, 0)]);
    program
}

/// Ends the program when the access is denied, and goes on behind itself when it is allowed.
fn chain(rules: &[Rule], access: u32) -> Vec<u64> {
    let mut code = Vec::new();
    let mut allowed = Vec::new();
    for rule in rules.iter().rev().filter(|rule| rule.access & access != 0) {
        code.extend(tests(rule));
        if rule.allow {
            allowed.push(code.len());
        }
        code.push(plain(EXIT, 0, 0));
        if rule.names_all_devices() {
            break;
        }
    }
    if code.is_empty()
        || !rules
            .iter()
            .any(|rule| rule.access & access != 0 && rule.names_all_devices())
    {
        code.push(plain(EXIT, 0, 0));
    }
    for at in allowed {
        code[at] = branch(JUMP, 0, 0, (code.len() - at - 1) as u64);
    }
    code
}

/// Jumps over the one instruction behind it when the rule is about another device.
fn tests(rule: &Rule) -> Vec<u64> {
    let mut code = Vec::new();
    // From the last test to the first, so that the way to the end is known.
    for (offset, wanted) in [(8, rule.minor), (4, rule.major), (0, rule.kind)] {
        let Some(wanted) = wanted else {
            continue;
        };
        code.push(branch(JUMP_UNEQUAL, VALUE, wanted, code.len() as u64 + 1));
        if offset == 0 {
            code.push(plain(AND, VALUE, 0xffff));
        }
        code.push(load(offset));
    }
    code.reverse();
    code
}

fn plain(code: u8, register: u8, value: u32) -> u64 {
    branch(code, register, value, 0)
}

/// `over` instructions are jumped over when it holds.
fn branch(code: u8, register: u8, value: u32, over: u64) -> u64 {
    u64::from(code) | u64::from(register) << 8 | over << 16 | u64::from(value) << 32
}

fn load(offset: u64) -> u64 {
    branch(LOAD_WORD, VALUE | CONTEXT << 4, 0, offset)
}

#[cfg(test)]
#[path = "device_program_tests.rs"]
mod tests;
