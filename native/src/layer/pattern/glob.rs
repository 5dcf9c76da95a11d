//! Go's filepath.Match on bytes: `*`, `?`, `[class]`, `\` escapes; none of them matches a slash.

/// The pattern is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

pub fn has_wildcards(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| b"*?[\\".contains(byte))
}

/// Whether the pattern matches the whole name.
pub fn matches(pattern: &[u8], name: &[u8]) -> Result<bool, Malformed> {
    // Where to go on after the last star: that star's rest and the name from there.
    let mut retry: Option<(usize, usize)> = None;
    let (mut at, mut pos) = (0, 0);
    check(pattern)?;
    loop {
        let step = if at == pattern.len() {
            if pos == name.len() {
                return Ok(true);
            }
            None
        } else if pattern[at] == b'*' {
            retry = Some((at + 1, pos));
            Some((at + 1, pos))
        } else if pos < name.len() {
            one(pattern, at, name[pos])?.map(|next| (next, pos + 1))
        } else {
            None
        };
        match (step, retry) {
            (Some(next), _) => (at, pos) = next,
            (None, Some((star, from))) if from < name.len() && name[from] != b'/' => {
                retry = Some((star, from + 1));
                (at, pos) = (star, from + 1);
            }
            (None, _) => return Ok(false),
        }
    }
}

/// Matches one byte by the element at `at`; gives where the next element begins.
pub fn one(pattern: &[u8], at: usize, byte: u8) -> Result<Option<usize>, Malformed> {
    match pattern[at] {
        b'?' => Ok((byte != b'/').then_some(at + 1)),
        b'[' => {
            let (hit, next) = class(pattern, at, byte)?;
            Ok((hit && byte != b'/').then_some(next))
        }
        b'\\' => match pattern.get(at + 1) {
            Some(literal) => Ok((*literal == byte).then_some(at + 2)),
            None => Err(Malformed),
        },
        literal => Ok((literal == byte).then_some(at + 1)),
    }
}

fn class(pattern: &[u8], start: usize, byte: u8) -> Result<(bool, usize), Malformed> {
    let mut at = start + 1;
    let negated = pattern.get(at) == Some(&b'^');
    if negated {
        at += 1;
    }
    let mut hit = false;
    let first = at;
    loop {
        if at > first && pattern.get(at) == Some(&b']') {
            return Ok((hit != negated, at + 1));
        }
        let low = class_byte(pattern, &mut at)?;
        let high = if pattern.get(at) == Some(&b'-') {
            at += 1;
            class_byte(pattern, &mut at)?
        } else {
            low
        };
        hit |= (low..=high).contains(&byte);
    }
}

fn class_byte(pattern: &[u8], at: &mut usize) -> Result<u8, Malformed> {
    let byte = match pattern.get(*at) {
        None | Some(b'-' | b']') => return Err(Malformed),
        Some(b'\\') => {
            *at += 1;
            *pattern.get(*at).ok_or(Malformed)?
        }
        Some(byte) => *byte,
    };
    *at += 1;
    Ok(byte)
}

/// The whole pattern is well formed, whatever the name.
pub fn check(pattern: &[u8]) -> Result<(), Malformed> {
    let mut at = 0;
    while at < pattern.len() {
        at = match pattern[at] {
            b'[' => class(pattern, at, 0)?.1,
            b'\\' if at + 1 == pattern.len() => return Err(Malformed),
            b'\\' => at + 2,
            _ => at + 1,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Malformed, matches};

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, name, expected) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[b-d]", "abc", Ok(true)),
            ("ab[e-g]", "abc", Ok(false)),
            ("ab[^c]", "abc", Ok(false)),
            ("ab[^e-g]", "abc", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("a\\*b", "ab", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("a*b", "a/b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[\\-]", "-", Ok(true)),
            ("[]a]", "]", Err(Malformed)),
            ("[-]", "-", Err(Malformed)),
            ("[x-]", "x", Err(Malformed)),
            ("[", "a", Err(Malformed)),
            ("a[", "ab", Err(Malformed)),
            ("*x", "xxx", Ok(true)),
            ("a?[bc]", "axb", Ok(true)),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
