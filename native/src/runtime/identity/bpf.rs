//! A small assembler for seccomp filters: sorted ranges of system call numbers, searched by halves,
//! each with an action and, before it, rules on arguments. Pure.
//! Instructions are `struct sock_filter` packed in 8 little-endian bytes (linux/filter.h).

/// BPF_MAXINSNS of the kernel.
pub const MAX_INSTRUCTIONS: usize = 4096;

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JEQ: u16 = 0x15;
const JGT: u16 = 0x25;
const JGE: u16 = 0x35;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

const NUMBER_OFFSET: u32 = 0;
const ARCH_OFFSET: u32 = 4;
const ARGS_OFFSET: u32 = 16;

/// A test of one argument (64 bits, unsigned).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    pub index: u32,
    pub test: Test,
    pub value: u64,
    /// MaskedEqual only: what the masked argument must be (`value` is the mask).
    pub second: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    MaskedEqual,
}

/// All conditions hold: the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub conditions: Vec<Condition>,
    pub action: u32,
}

/// From `first` to the next range's first: the rules in order, then the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub first: u32,
    pub rules: Vec<Rule>,
    pub action: u32,
}

/// One architecture's ranges, sorted, the first at 0.
pub struct Section {
    pub audit_arch: u32,
    pub ranges: Vec<Range>,
}

/// The filter: an architecture that has no section gets `other`.
pub fn assemble(sections: &[Section], other: u32) -> Vec<u64> {
    let mut program = vec![plain(LOAD, ARCH_OFFSET)];
    for section in sections {
        let mut body = vec![plain(LOAD, NUMBER_OFFSET)];
        body.extend(search(&section.ranges));
        program.push(branch(JEQ, section.audit_arch, 1, 0));
        program.push(plain(JUMP, count(&body)));
        program.extend(body);
    }
    program.push(plain(RETURN, other));
    program
}

fn search(ranges: &[Range]) -> Vec<u64> {
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let Some(middle) = high.first() else {
        return Vec::new();
    };
    if low.is_empty() {
        return leaf(middle);
    }
    let (low, high) = (search(low), search(high));
    let mut code = Vec::with_capacity(low.len() + high.len() + 2);
    match u8::try_from(low.len()) {
        Ok(skip) => code.push(branch(JGE, middle.first, skip, 0)),
        Err(_) => {
            code.push(branch(JGE, middle.first, 0, 1));
            code.push(plain(JUMP, count(&low)));
        }
    }
    code.extend(low);
    code.extend(high);
    code
}

fn leaf(range: &Range) -> Vec<u64> {
    let mut code = Vec::new();
    for rule in &range.rules {
        let mut conditions: Vec<Step> = Vec::new();
        for condition in &rule.conditions {
            append(&mut conditions, *condition);
        }
        let length = conditions.len();
        for (at, step) in conditions.iter().enumerate() {
            let jump = |target: Target| match target {
                Target::Next => 0,
                Target::Held(end) => distance(at, end),
                // Over the rule's own return.
                Target::Failed => distance(at, length + 1),
            };
            code.push(branch(step.code, step.value, jump(step.yes), jump(step.no)));
        }
        code.push(plain(RETURN, rule.action));
    }
    code.push(plain(RETURN, range.action));
    code
}

/// A jump from `at` to `target` skips what is between; a rule has at most 6 × 5 instructions.
fn distance(at: usize, target: usize) -> u8 {
    u8::try_from(target - at - 1).unwrap_or(u8::MAX)
}

#[derive(Clone, Copy)]
enum Target {
    Next,
    /// The condition holds: go on at this index.
    Held(usize),
    Failed,
}

struct Step {
    code: u16,
    value: u32,
    yes: Target,
    no: Target,
}

fn append(steps: &mut Vec<Step>, condition: Condition) {
    use Target::{Failed, Held, Next};
    let offset = ARGS_OFFSET + 8 * condition.index;
    let (low, high) = halves(condition.value);
    let step = |code, value, yes, no| Step { code, value, yes, no };
    let load = |offset| step(LOAD, offset, Next, Next);
    if condition.test == Test::MaskedEqual {
        let (want_low, want_high) = halves(condition.second);
        steps.push(load(offset + 4));
        steps.push(step(AND, high, Next, Next));
        steps.push(step(JEQ, want_high, Next, Failed));
        steps.push(load(offset));
        steps.push(step(AND, low, Next, Next));
        steps.push(step(JEQ, want_low, Next, Failed));
        return;
    }
    let start = steps.len();
    steps.push(load(offset + 4));
    let end = match condition.test {
        Test::Equal | Test::NotEqual | Test::MaskedEqual => start + 4,
        _ => start + 5,
    };
    match condition.test {
        Test::Equal | Test::MaskedEqual => {
            steps.push(step(JEQ, high, Next, Failed));
            steps.push(load(offset));
            steps.push(step(JEQ, low, Next, Failed));
        }
        Test::NotEqual => {
            steps.push(step(JEQ, high, Next, Held(end)));
            steps.push(load(offset));
            steps.push(step(JEQ, low, Failed, Next));
        }
        Test::Greater | Test::GreaterEqual => {
            steps.push(step(JGT, high, Held(end), Next));
            steps.push(step(JEQ, high, Next, Failed));
            steps.push(load(offset));
            steps.push(step(
                if condition.test == Test::Greater { JGT } else { JGE },
                low,
                Next,
                Failed,
            ));
        }
        Test::Less | Test::LessEqual => {
            steps.push(step(JGT, high, Failed, Next));
            steps.push(step(JEQ, high, Next, Held(end)));
            steps.push(load(offset));
            steps.push(step(
                if condition.test == Test::Less { JGE } else { JGT },
                low,
                Failed,
                Next,
            ));
        }
    }
}

/// (low, high) words.
const fn halves(value: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

fn count(code: &[u64]) -> u32 {
    u32::try_from(code.len()).unwrap_or(u32::MAX)
}

fn plain(code: u16, value: u32) -> u64 {
    branch(code, value, 0, 0)
}

fn branch(code: u16, value: u32, yes: u8, no: u8) -> u64 {
    u64::from(code) | u64::from(yes) << 16 | u64::from(no) << 24 | u64::from(value) << 32
}

#[cfg(test)]
#[path = "bpf_tests.rs"]
mod tests;
