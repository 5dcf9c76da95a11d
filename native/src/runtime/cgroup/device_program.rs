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

    fn decides_all(&self) -> bool {
        (self.kind, self.major, self.minor, self.access) == (None, None, None, ALL)
    }
}

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
const TYPE: u8 = 2;
/// The accesses that are asked for and that no rule has decided yet.
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// The program: for each access that is asked for, the last rule that names it decides; all must be
/// allowed, and what no rule names is denied.
pub fn assemble(rules: &[Rule]) -> Vec<u64> {
    let mut program = vec![
        load(TYPE, 0),
        load(ACCESS, 0),
        plain(SHIFT_RIGHT, ACCESS, 16),
        plain(AND, TYPE, 0xffff),
        load(MAJOR, 4),
        load(MINOR, 8),
        plain(MOVE, RESULT, 0),
    ];
    for rule in rules.iter().rev() {
        append(&mut program, rule);
        if rule.decides_all() {
            break;
        }
    }
    program.push(plain(EXIT, 0, 0));
    program
}

fn append(program: &mut Vec<u64>, rule: &Rule) {
    let verdict = if rule.allow {
        vec![
            plain(AND, ACCESS, ALL & !rule.access),
            branch(JUMP_UNEQUAL, ACCESS, 0, 2),
            plain(MOVE, RESULT, 1),
            plain(EXIT, 0, 0),
        ]
    } else {
        vec![
            branch(JUMP_ANY_BIT, ACCESS, rule.access, 1),
            branch(JUMP, 0, 0, 1),
            plain(EXIT, 0, 0),
        ]
    };
    let tests = [(TYPE, rule.kind), (MAJOR, rule.major), (MINOR, rule.minor)];
    let tests: Vec<(u8, u32)> = tests
        .into_iter()
        .filter_map(|(register, wanted)| Some((register, wanted?)))
        .collect();
    for (at, (register, wanted)) in (1_u64..).zip(&tests) {
        let over = tests.len() as u64 - at + verdict.len() as u64;
        program.push(branch(JUMP_UNEQUAL, *register, *wanted, over));
    }
    program.extend(verdict);
}

fn plain(code: u8, register: u8, value: u32) -> u64 {
    branch(code, register, value, 0)
}

/// `over` instructions are jumped over when it holds.
fn branch(code: u8, register: u8, value: u32, over: u64) -> u64 {
    u64::from(code) | u64::from(register) << 8 | over << 16 | u64::from(value) << 32
}

fn load(register: u8, offset: u64) -> u64 {
    branch(LOAD_WORD, register | CONTEXT << 4, 0, offset)
}

#[cfg(test)]
#[path = "device_program_tests.rs"]
mod tests;
