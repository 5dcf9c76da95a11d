//! The options of an OCI mount, read into what mount_setattr and fsconfig take. Pure.

use crate::sys::runtime as sys;
use crate::sys::runtime::AttrChange;

/// What a list of mount options asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Some(recursive) for bind and rbind.
    pub bind: Option<bool>,
    /// For the top mount only.
    pub top: AttrChange,
    /// For the whole tree (rro and its kin).
    pub tree: AttrChange,
    /// (MS_ value, recursive)
    pub propagation: Option<(u64, bool)>,
    /// Fill the tmpfs with what it covers.
    pub copy_up: bool,
    /// What the file system itself takes: `key` or `key=value`.
    pub data: Vec<String>,
}

/// name, attributes, mask (cleared first), set or clear
const ATTRS: &[(&str, u64, u64)] = &[
    ("ro", sys::ATTR_RDONLY, 0),
    ("rw", 0, sys::ATTR_RDONLY),
    ("nosuid", sys::ATTR_NOSUID, 0),
    ("suid", 0, sys::ATTR_NOSUID),
    ("nodev", sys::ATTR_NODEV, 0),
    ("dev", 0, sys::ATTR_NODEV),
    ("noexec", sys::ATTR_NOEXEC, 0),
    ("exec", 0, sys::ATTR_NOEXEC),
    ("nodiratime", sys::ATTR_NODIRATIME, 0),
    ("diratime", 0, sys::ATTR_NODIRATIME),
    ("noatime", sys::ATTR_NOATIME, sys::ATTR_ATIME),
    ("relatime", 0, sys::ATTR_ATIME),
    ("atime", 0, sys::ATTR_ATIME),
    ("strictatime", sys::ATTR_STRICTATIME, sys::ATTR_ATIME),
    ("norelatime", 0, 0),
    ("nostrictatime", 0, 0),
    ("nosymfollow", sys::ATTR_NOSYMFOLLOW, 0),
    ("symfollow", 0, sys::ATTR_NOSYMFOLLOW),
];

const PROPAGATIONS: &[(&str, u64)] = &[
    ("private", sys::MS_PRIVATE),
    ("slave", sys::MS_SLAVE),
    ("shared", sys::MS_SHARED),
    ("unbindable", sys::MS_UNBINDABLE),
];

/// Options that say nothing to the kernel here.
const SILENT: &[&str] = &[
    "defaults",
    "async",
    "nomand",
    "mand",
    "noiversion",
    "iversion",
    "loud",
    "silent",
    "auto",
];

impl Options {
    pub fn parse(options: &[String]) -> Self {
        let mut parsed = Self::default();
        for option in options {
            parsed.add(option);
        }
        parsed
    }

    fn add(&mut self, option: &str) {
        match option {
            "bind" => self.bind = self.bind.or(Some(false)),
            "rbind" => self.bind = Some(true),
            "tmpcopyup" => self.copy_up = true,
            "notmpcopyup" => self.copy_up = false,
            _ if SILENT.contains(&option) => {}
            _ => {
                if let Some(propagation) = propagation(option) {
                    self.propagation = Some(propagation);
                } else if let Some((_, set, clear)) = ATTRS.iter().find(|(name, _, _)| *name == option) {
                    change(&mut self.top, *set, *clear);
                } else if let Some((set, clear)) = recursive(option) {
                    self.tree.recursive = true;
                    change(&mut self.tree, set, clear);
                } else {
                    self.data.push(option.to_owned());
                }
            }
        }
    }
}

/// A later option wins over an earlier one.
fn change(attrs: &mut AttrChange, set: u64, clear: u64) {
    attrs.set = (attrs.set & !clear) | set;
    attrs.clear = (attrs.clear & !set) | clear;
}

fn recursive(option: &str) -> Option<(u64, u64)> {
    let plain = option.strip_prefix('r')?;
    ATTRS
        .iter()
        .find(|(name, _, _)| *name == plain)
        .map(|(_, set, clear)| (*set, *clear))
}

/// (MS_ value, recursive) of a propagation word, also for `linux.rootfsPropagation`.
pub fn propagation(word: &str) -> Option<(u64, bool)> {
    let find = |word: &str| {
        PROPAGATIONS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, value)| *value)
    };
    find(word)
        .map(|value| (value, false))
        .or_else(|| find(word.strip_prefix('r')?).map(|value| (value, true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(options: &[&str]) -> Options {
        Options::parse(&options.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_later_option_wins() {
        assert_eq!(parse(&["ro", "rw"]).top.set, 0);
        assert_eq!(parse(&["rw", "ro"]).top.set, sys::ATTR_RDONLY);
    }

    #[test]
    fn rro_is_recursive_and_ro_is_not() {
        let options = parse(&["rbind", "rro"]);
        assert_eq!(
            (options.bind, options.top.set, options.tree.set),
            (Some(true), 0, sys::ATTR_RDONLY)
        );
        assert!(options.tree.recursive);
    }

    #[test]
    fn words_of_the_file_system_stay_data() {
        assert_eq!(
            parse(&["nosuid", "size=64k", "mode=1777"]).data,
            ["size=64k", "mode=1777"]
        );
    }

    #[test]
    fn propagation_words_are_recursive_with_an_r() {
        assert_eq!(propagation("rslave"), Some((sys::MS_SLAVE, true)));
        assert_eq!(propagation("shared"), Some((sys::MS_SHARED, false)));
        assert_eq!(propagation("rr"), None);
    }

    proptest! {
        #[test]
        fn any_words_parse_and_set_and_clear_never_meet(words in proptest::collection::vec("[a-z=]{0,12}|ro|rw|noatime|relatime|rro|rrw", 0..12)) {
            let options = Options::parse(&words);
            prop_assert_eq!(options.top.set & options.top.clear & !sys::ATTR_ATIME, 0);
            prop_assert_eq!(options.tree.set & options.tree.clear & !sys::ATTR_ATIME, 0);
        }
    }
}
