//! The assembler, run on a tiny interpreter of the instructions that it emits.

use super::*;
use proptest::prelude::*;

fn run(program: &[u64], arch: u32, number: u32, args: [u64; 6]) -> u32 {
    let mut accumulator = 0_u32;
    let mut at = 0_usize;
    loop {
        let instruction = program[at];
        let code = (instruction & 0xffff) as u16;
        let (yes, no) = (
            (instruction >> 16 & 0xff) as usize,
            (instruction >> 24 & 0xff) as usize,
        );
        let value = (instruction >> 32) as u32;
        at += 1;
        let jump = |taken: bool| if taken { yes } else { no };
        match code {
            LOAD => accumulator = load(value, arch, number, args),
            JUMP => at += value as usize,
            JEQ => at += jump(accumulator == value),
            JGT => at += jump(accumulator > value),
            JGE => at += jump(accumulator >= value),
            AND => accumulator &= value,
            _ => return value,
        }
    }
}

fn load(offset: u32, arch: u32, number: u32, args: [u64; 6]) -> u32 {
    match offset {
        0 => number,
        4 => arch,
        _ => {
            let arg = args[(offset as usize - 16) / 8];
            if offset.is_multiple_of(8) {
                halves(arg).0
            } else {
                halves(arg).1
            }
        }
    }
}

fn holds(condition: &Condition, args: [u64; 6]) -> bool {
    let arg = args[condition.index as usize];
    match condition.test {
        Test::Equal => arg == condition.value,
        Test::NotEqual => arg != condition.value,
        Test::Less => arg < condition.value,
        Test::LessEqual => arg <= condition.value,
        Test::Greater => arg > condition.value,
        Test::GreaterEqual => arg >= condition.value,
        Test::MaskedEqual => arg & condition.value == condition.second,
    }
}

fn expected(ranges: &[Range], number: u32, args: [u64; 6]) -> u32 {
    let Some(range) = ranges.iter().rev().find(|range| range.first <= number) else {
        return 0;
    };
    let rule = range
        .rules
        .iter()
        .find(|rule| rule.conditions.iter().all(|condition| holds(condition, args)));
    rule.map_or(range.action, |rule| rule.action)
}

fn word() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, (0..4_u64).prop_map(|high| high << 32 | 1), any::<u64>()]
}

fn condition() -> impl Strategy<Value = Condition> {
    let test = prop_oneof![
        Just(Test::Equal),
        Just(Test::NotEqual),
        Just(Test::Less),
        Just(Test::LessEqual),
        Just(Test::Greater),
        Just(Test::GreaterEqual),
        Just(Test::MaskedEqual),
    ];
    (0..6_u32, test, word(), word()).prop_map(|(index, test, value, second)| Condition {
        index,
        test,
        value,
        second,
    })
}

fn ranges() -> impl Strategy<Value = Vec<Range>> {
    let rule = (proptest::collection::vec(condition(), 1..4), 1..9_u32)
        .prop_map(|(conditions, action)| Rule { conditions, action });
    let range = (1..600_u32, proptest::collection::vec(rule, 0..3), 10..90_u32)
        .prop_map(|(first, rules, action)| Range { first, rules, action });
    proptest::collection::vec(range, 0..120).prop_map(|mut ranges| {
        ranges.push(Range {
            first: 0,
            rules: Vec::new(),
            action: 99,
        });
        ranges.sort_by_key(|range| range.first);
        ranges.dedup_by_key(|range| range.first);
        ranges
    })
}

proptest! {
    #[test]
    fn the_program_answers_as_the_rules_do(
        ranges in ranges(),
        calls in proptest::collection::vec((0..700_u32, proptest::array::uniform6(word())), 40)
    ) {
        let program = assemble(&[Section { audit_arch: 7, ranges: ranges.clone() }], 1234);
        for (number, args) in calls {
            prop_assert_eq!(run(&program, 7, number, args), expected(&ranges, number, args));
        }
        prop_assert_eq!(run(&program, 8, 0, [0; 6]), 1234);
    }
}
