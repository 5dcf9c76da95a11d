//! `--chmod`: octal (`0755`) and symbolic (`u+x,go-w`) modes, as chmod(1) without a umask.

use crate::error::{Failure, Kind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Octal(u32),
    Symbolic(Vec<Clause>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Permission and set-id bits that the clause may touch.
    who: u32,
    action: u8,
    what: Vec<u8>,
}

impl Change {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || Failure::new(Kind::Invalid, format!("\"{text}\" is no file mode"));
        if text.is_empty() {
            return Err(bad());
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return u32::from_str_radix(text, 8)
                .ok()
                .filter(|mode| *mode <= 0o7777)
                .map(Self::Octal)
                .ok_or_else(bad);
        }
        let mut clauses = Vec::new();
        for part in text.split(',') {
            parse_part(part.as_bytes(), &mut clauses).ok_or_else(bad)?;
        }
        Ok(Self::Symbolic(clauses))
    }

    /// The new mode of a file that has `mode`.
    pub fn apply(&self, mode: u32, directory: bool) -> u32 {
        match self {
            Self::Octal(mode) => *mode,
            Self::Symbolic(clauses) => clauses
                .iter()
                .fold(mode & 0o7777, |mode, clause| clause.apply(mode, directory)),
        }
    }
}

fn parse_part(part: &[u8], clauses: &mut Vec<Clause>) -> Option<()> {
    let named = part.iter().take_while(|byte| b"ugoa".contains(byte)).count();
    let mut who = part[..named].iter().fold(0, |who, byte| who | reach(*byte));
    if named == 0 {
        who = 0o7777;
    }
    let mut rest = &part[named..];
    if rest.is_empty() {
        return None;
    }
    while let Some((action, after)) = rest.split_first() {
        if !b"+-=".contains(action) {
            return None;
        }
        let length = after.iter().take_while(|byte| !b"+-=".contains(byte)).count();
        let what = &after[..length];
        let copies = length == 1 && b"ugo".contains(&what[0]);
        if !copies && !what.iter().all(|byte| b"rwxXst".contains(byte)) {
            return None;
        }
        clauses.push(Clause {
            who,
            action: *action,
            what: what.to_vec(),
        });
        rest = &after[length..];
    }
    Some(())
}

const fn reach(who: u8) -> u32 {
    match who {
        b'u' => 0o4700,
        b'g' => 0o2070,
        b'o' => 0o1007,
        _ => 0o7777,
    }
}

impl Clause {
    fn apply(&self, mode: u32, directory: bool) -> u32 {
        let bits = self
            .what
            .iter()
            .fold(0, |bits, what| bits | self.bits(*what, mode, directory))
            & self.who;
        match self.action {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            // As chmod(1): a directory keeps its set-id bits unless they are named.
            _ if directory => (mode & !(self.who & 0o1777)) | bits,
            _ => (mode & !self.who) | bits,
        }
    }

    fn bits(&self, what: u8, mode: u32, directory: bool) -> u32 {
        match what {
            b'r' => 0o444,
            b'w' => 0o222,
            b'x' => 0o111,
            b'X' if directory || mode & 0o111 != 0 => 0o111,
            b's' => 0o6000,
            b't' => 0o1000,
            b'u' => (mode >> 6 & 7) * 0o111,
            b'g' => (mode >> 3 & 7) * 0o111,
            b'o' => (mode & 7) * 0o111,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    fn changed(text: &str, mode: u32, directory: bool) -> Option<u32> {
        Change::parse(text)
            .ok()
            .map(|change| change.apply(mode, directory))
    }

    #[test]
    fn modes_change_as_chmod_does() {
        for (text, mode, directory, expected) in [
            ("755", 0o600, false, 0o755),
            ("4755", 0o600, false, 0o4755),
            ("u+x", 0o644, false, 0o744),
            ("u+x,go-w", 0o666, false, 0o744),
            ("a=r", 0o777, false, 0o444),
            ("=rw", 0o777, false, 0o666),
            ("go=", 0o777, false, 0o700),
            ("a+X", 0o644, false, 0o644),
            ("a+X", 0o644, true, 0o755),
            ("a+X", 0o744, false, 0o755),
            ("g=u", 0o640, false, 0o660),
            ("u+s", 0o755, false, 0o4755),
            ("+t", 0o777, true, 0o1777),
            ("o-t", 0o1777, true, 0o777),
            ("u=rw+x", 0o000, false, 0o700),
        ] {
            assert_eq!(changed(text, mode, directory), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_mode_is_refused() {
        for text in ["", "888", "10000", "u", "u+q", "x+u,", "u+x,,g+w"] {
            assert_eq!(changed(text, 0, false), None, "{text}");
        }
    }
}
