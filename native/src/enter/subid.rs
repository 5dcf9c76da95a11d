//! The ranges of subordinate ids of a user (/etc/subuid, /etc/subgid; subuid(5)). It only reads, and
//! only so much.

use std::io::Read;
use std::path::Path;

/// Larger files are cut here: what is beyond is not read.
const FILE_LIMIT: u64 = 8 << 20;
/// The kernel takes 340 lines in a map; one is the user's own id.
const RANGES: usize = 339;

/// `count` ids from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Range {
    pub start: u32,
    pub count: u32,
}

/// Every range that a subuid file gives to the user, by number or by one of the names.
pub fn ranges(file: &Path, uid: u32, names: &[String]) -> Vec<Range> {
    parse(&read(file), uid, names)
}

/// The names that /etc/passwd has for a uid; where it has none (a directory service), the environment's.
pub fn names(uid: u32) -> Vec<String> {
    let mut names = passwd_names(&read(Path::new("/etc/passwd")), uid);
    if names.is_empty() {
        names.extend(
            ["USER", "LOGNAME"]
                .iter()
                .filter_map(|name| std::env::var(name).ok()),
        );
    }
    names
}

fn read(file: &Path) -> String {
    let mut text = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(FILE_LIMIT).read_to_end(&mut text));
    // A missing or unreadable file gives nobody a range.
    if read.is_err() {
        text.clear();
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn passwd_names(text: &str, uid: u32) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let number: u32 = fields.nth(1)?.parse().ok()?;
            (number == uid && !name.is_empty()).then(|| name.to_owned())
        })
        .collect()
}

fn parse(text: &str, uid: u32, names: &[String]) -> Vec<Range> {
    let number = uid.to_string();
    let mut ranges: Vec<Range> = Vec::new();
    for line in text.lines() {
        let mut fields = line.trim().splitn(3, ':');
        let (Some(who), Some(start), Some(count)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if who != number && !names.iter().any(|name| name == who) {
            continue;
        }
        let (Ok(start), Ok(count)) = (start.parse::<u32>(), count.parse::<u32>()) else {
            continue;
        };
        let range = Range { start, count };
        let valid = start > 0 && count > 0 && start.checked_add(count).is_some();
        if valid && ranges.len() < RANGES && !ranges.iter().any(|other| overlap(*other, range)) {
            ranges.push(range);
        }
    }
    ranges
}

fn overlap(one: Range, other: Range) -> bool {
    one.start < other.start + other.count && other.start < one.start + one.count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_ranges_by_name_and_by_number() {
        let text =
            "root:100000:65536\nanna:165536:65536\n# x\n1000:300000:10\nanna:4294967290:10\nanna:170000:5\n";
        let found = parse(text, 1000, &["anna".to_owned()]);
        let range = |start, count| Range { start, count };
        assert_eq!(found, [range(165_536, 65_536), range(300_000, 10)]);
    }

    #[test]
    fn finds_every_name_of_a_uid() {
        let text = "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nanna:x:1000:1000::/:\nbroken\n";
        assert_eq!(passwd_names(text, 0), ["root", "toor"]);
    }

    proptest! {
        #[test]
        fn ranges_never_overlap_or_wrap(text in "(a:[0-9]{1,10}:[0-9]{1,10}\n){0,20}") {
            let found = parse(&text, 7, &["a".to_owned()]);
            for (index, one) in found.iter().enumerate() {
                prop_assert!(one.start.checked_add(one.count).is_some());
                prop_assert!(found[..index].iter().all(|other| !overlap(*one, *other)));
            }
        }
    }
}
