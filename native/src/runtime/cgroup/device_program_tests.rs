//! The assembler, run on a tiny interpreter of the instructions that it emits.

use super::*;
use proptest::prelude::*;

/// Panics on a jump backwards or out of the program, as the kernel's verifier refuses it.
fn run(program: &[u64], context: [u32; 3]) -> bool {
    let mut registers = [0_u32; 16];
    let mut at = 0_usize;
    loop {
        let instruction = program[at];
        let code = (instruction & 0xff) as u8;
        let register = (instruction >> 8 & 0xf) as usize;
        let offset = (instruction >> 16 & 0xffff) as usize;
        let value = (instruction >> 32) as u32;
        at += 1;
        match code {
            LOAD_WORD => registers[register] = context[offset / 4],
            SHIFT_RIGHT => registers[register] >>= value,
            AND => registers[register] &= value,
            MOVE => registers[register] = value,
            JUMP => at += offset,
            JUMP_UNEQUAL => at += if registers[register] == value { 0 } else { offset },
            JUMP_ANY_BIT => {
                at += if registers[register] & value == 0 {
                    0
                } else {
                    offset
                }
            }
            _ => return registers[0] == 1,
        }
    }
}

fn ask(program: &[u64], access: u32, kind: u32, major: u32, minor: u32) -> bool {
    run(program, [access << 16 | kind, major, minor])
}

fn expected(rules: &[Rule], access: u32, kind: u32, major: u32, minor: u32) -> bool {
    let names = |wanted: Option<u32>, value: u32| wanted.is_none_or(|wanted| wanted == value);
    let allowed = |bit: u32| {
        let matching = |rule: &&Rule| {
            names(rule.kind, kind)
                && names(rule.major, major)
                && names(rule.minor, minor)
                && rule.access & bit != 0
        };
        rules.iter().rev().find(matching).is_some_and(|rule| rule.allow)
    };
    [MAKE, READ, WRITE]
        .into_iter()
        .filter(|bit| access & bit != 0)
        .all(allowed)
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0..4_u32, Just(u32::MAX), Just(1 << 31)]
}

fn rule() -> impl Strategy<Value = Rule> {
    (
        any::<bool>(),
        proptest::option::of(1..3_u32),
        proptest::option::of(number()),
        proptest::option::of(number()),
        1..8_u32,
    )
        .prop_map(|(allow, kind, major, minor, access)| Rule {
            allow,
            kind,
            major,
            minor,
            access,
        })
}

proptest! {
    #[test]
    fn the_program_answers_as_the_rules_do(
        rules in proptest::collection::vec(rule(), 0..30),
        asked in proptest::collection::vec((1..8_u32, 1..3_u32, number(), number()), 60)
    ) {
        let program = assemble(&rules);
        for (access, kind, major, minor) in asked {
            prop_assert_eq!(
                ask(&program, access, kind, major, minor),
                expected(&rules, access, kind, major, minor)
            );
        }
    }
}

fn parsed(allow: bool, kind: &str, major: i64, access: &str) -> Result<Rule, Failure> {
    Rule::parse(&DeviceRule {
        allow,
        kind: Some(kind.to_owned()),
        major: Some(major),
        minor: None,
        access: Some(access.to_owned()),
    })
}

#[test]
fn no_rule_denies_and_part_of_a_request_does_not_allow_it() {
    assert!(!ask(&assemble(&[]), READ, CHARACTER, 1, 3));
    let rules: Vec<Rule> = [(true, "", ""), (false, "c", "w")]
        .iter()
        .map(|(allow, kind, access)| parsed(*allow, kind, -1, access).expect("a rule"))
        .collect();
    let program = assemble(&rules);
    assert!(ask(&program, READ, CHARACTER, 1, 3));
    assert!(!ask(&program, READ | WRITE, CHARACTER, 1, 3));
    assert!(ask(&program, READ | WRITE, BLOCK, 1, 3));
}

#[test]
fn what_is_before_a_rule_for_everything_is_left_out() {
    let all = parsed(false, "a", -1, "rwm").expect("a rule");
    let other = parsed(true, "c", 4, "r").expect("a rule");
    assert_eq!(assemble(&[other, other, all, other]), assemble(&[all, other]));
}

#[test]
fn a_rule_that_is_none_is_refused() {
    for (kind, major, access) in [("x", 1, "r"), ("c", 1 << 32, "r"), ("c", 1, "rx")] {
        assert!(parsed(true, kind, major, access).is_err());
    }
}
