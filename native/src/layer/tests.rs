//! Properties of paths and patterns, and of whole trees: packing, unpacking and packing again gives the
//! same bytes.

use crate::layer::emit::{Emitter, Options};
use crate::layer::extract::Extractor;
use crate::layer::pattern::glob;
use crate::layer::pattern::ignore::{Rules, matches_doublestar};
use crate::layer::policy::Policy;
use crate::layer::tar::read::Reader;
use crate::layer::tree::beneath::{clean, clean_entry};
use crate::layer::tree::remove::empty;
use crate::layer::tree::root::open_dir;
use proptest::prelude::*;
use rustix::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A directory that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("pinnace-layer-test-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(dir) = open_dir(&self.0) {
            // What is left shows up as a directory in the temporary folder.
            let _left = empty(&dir);
        }
        let _left = std::fs::remove_dir(&self.0);
    }
}

/// One thing to make in a tree.
#[derive(Debug, Clone)]
enum Thing {
    Dir(u32),
    File(Vec<u8>, u32),
    Link(String),
}

fn things() -> impl Strategy<Value = Vec<(String, Thing)>> {
    let path = proptest::collection::vec("[a-c.]{1,3}", 1..4).prop_map(|parts| {
        let parts: Vec<String> = parts.into_iter().map(|part| format!("n{part}")).collect();
        parts.join("/")
    });
    let thing = prop_oneof![
        (0o700..0o1000_u32).prop_map(Thing::Dir),
        (proptest::collection::vec(any::<u8>(), 0..3000), 0o600..0o1000_u32)
            .prop_map(|(data, mode)| Thing::File(data, mode)),
        "[a-z/.]{1,120}".prop_map(Thing::Link),
    ];
    proptest::collection::vec((path, thing), 0..12)
}

fn make(root: &Path, things: &[(String, Thing)]) {
    for (path, thing) in things {
        let path = root.join(path);
        // A name that is taken already is left as it is.
        let _taken = match thing {
            Thing::Dir(mode) => std::fs::create_dir_all(&path)
                .and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode))),
            Thing::File(data, mode) => path
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| {
                    if path.exists() {
                        Ok(())
                    } else {
                        std::fs::write(&path, data)
                    }
                })
                .and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode))),
            Thing::Link(target) => symlink(target, &path),
        };
    }
}

fn pack(dir: &Path) -> Result<Vec<u8>, crate::error::Failure> {
    let fd = open_dir(&dir.to_owned())?;
    let mut emitter = Emitter::new(
        Vec::new(),
        Options {
            layer: true,
            ..Options::default()
        },
    );
    emitter.contents(&fd, b"")?;
    emitter.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn packing_what_was_unpacked_gives_the_same_bytes(things in things()) {
        let from = Scratch::new("from")?;
        let to = Scratch::new("to")?;
        crate::layer::prepare();
        make(&from.0, &things);
        let fail = |failure: crate::error::Failure| TestCaseError::fail(failure.to_string());
        let packed = pack(&from.0).map_err(fail)?;
        let dir = open_dir(&to.0).map_err(fail)?;
        let policy = Policy { overlay: true, lenient_owners: true, ..Policy::default() };
        Extractor::new(dir.as_fd(), b"", policy).run(&mut Reader::new(&packed[..])).map_err(fail)?;
        prop_assert!(pack(&to.0).map_err(fail)? == packed, "the bytes differ");
    }
}

proptest! {
    #[test]
    fn clean_paths_stay_inside(path in "[a/.]{0,20}") {
        let cleaned = clean(path.as_bytes());
        prop_assert!(cleaned.split(|byte| *byte == b'/').all(|part| part != b".." && part != b"."));
        prop_assert_eq!(clean(&cleaned), cleaned.clone());
        let mut entry = Vec::new();
        if clean_entry(path.as_bytes(), &mut entry).is_ok() {
            prop_assert_eq!(entry, cleaned);
        }
    }

    #[test]
    fn a_pattern_without_wildcards_matches_itself_only(name in "[a-z/]{1,20}", other in "[a-z/]{1,20}") {
        prop_assert_eq!(glob::matches(name.as_bytes(), other.as_bytes()), Ok(name == other));
        prop_assert_eq!(matches_doublestar(name.as_bytes(), other.as_bytes()), name == other);
    }

    #[test]
    fn both_matchers_agree_without_double_stars(pattern in "[ab*?/]{0,8}", name in "[ab/]{0,8}") {
        prop_assume!(!pattern.contains("**"));
        prop_assert_eq!(
            glob::matches(pattern.as_bytes(), name.as_bytes()),
            Ok(matches_doublestar(pattern.as_bytes(), name.as_bytes()))
        );
    }

    #[test]
    fn no_ignore_file_makes_the_rules_panic(lines in proptest::collection::vec("\\PC{0,20}", 0..5), path in "[a-z/]{0,20}") {
        if let Ok(rules) = Rules::parse(&lines) {
            rules.state_of(path.as_bytes());
        }
    }
}
