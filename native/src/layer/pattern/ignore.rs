//! .dockerignore and `--exclude`, as moby's patternmatcher reads them: the last pattern that matches a
//! path or one of its parents decides, `!` turns it round, `**` stands for any number of directories.

use crate::error::{Failure, Kind};
use crate::layer::pattern::glob;
use crate::layer::tree::beneath::{clean, parent};

#[derive(Debug, Clone)]
struct Rule {
    negated: bool,
    pattern: Vec<u8>,
    /// `**x` with no further wildcard is a plain suffix.
    suffix: bool,
}

/// The rules of one list.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    has_negated: bool,
}

/// Which rules match a directory, so that what is below it need not look upward.
#[derive(Debug, Clone, Default)]
pub struct Above(Vec<bool>);

impl Rules {
    /// Reads lines; empty ones and comments count for nothing.
    pub fn parse(lines: &[String]) -> Result<Self, Failure> {
        let mut rules = Vec::new();
        for line in lines {
            let text = line.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (negated, text) = match text.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, text),
            };
            let pattern = clean(text.as_bytes());
            if pattern.is_empty() {
                if text.is_empty() {
                    return Err(Failure::new(Kind::Invalid, "\"!\" alone is no ignore pattern"));
                }
                // "." and "/" match nothing below, as in moby.
                continue;
            }
            if glob::check(&pattern).is_err() {
                return Err(Failure::new(
                    Kind::Invalid,
                    format!("\"{line}\" is a malformed ignore pattern"),
                ));
            }
            let suffix = pattern
                .strip_prefix(b"**")
                .is_some_and(|rest| !rest.is_empty() && rest[0] != b'/' && !glob::has_wildcards(rest));
            rules.push(Rule {
                negated,
                pattern,
                suffix,
            });
        }
        Ok(Self {
            has_negated: rules.iter().any(|rule| rule.negated),
            rules,
        })
    }

    /// Whether something below an excluded directory may be wanted all the same.
    pub fn may_return(&self) -> bool {
        self.has_negated
    }

    /// Whether a path is excluded, given its directory's state; its own state goes to `state`.
    pub fn excludes(&self, path: &[u8], above: &Above, state: Option<&mut Above>) -> bool {
        if self.rules.is_empty() {
            return false;
        }
        let mut excluded = false;
        let mut own = Vec::new();
        let keep = state.is_some();
        for (at, rule) in self.rules.iter().enumerate() {
            let hit = above.0.get(at).copied().unwrap_or(false) || rule.matches(path);
            if hit {
                excluded = !rule.negated;
            }
            if keep {
                own.push(hit);
            }
        }
        if let Some(state) = state {
            state.0 = own;
        }
        excluded
    }

    /// The state of a directory, from the root down.
    pub fn state_of(&self, path: &[u8]) -> (bool, Above) {
        if path.is_empty() || self.rules.is_empty() {
            return (false, Above::default());
        }
        let (_, above) = self.state_of(parent(path));
        let mut state = Above::default();
        let excluded = self.excludes(path, &above, Some(&mut state));
        (excluded, state)
    }
}

impl Rule {
    fn matches(&self, path: &[u8]) -> bool {
        if self.suffix {
            return path.ends_with(&self.pattern[2..]);
        }
        matches_doublestar(&self.pattern, path)
    }
}

/// Go's filepath.Match with `**`: at the end anything, elsewhere any number of leading directories. All
/// ways to match are followed at once, so that no pattern takes longer than its length times the path's.
pub fn matches_doublestar(pattern: &[u8], path: &[u8]) -> bool {
    // The places in the path that what was read of the pattern may end at.
    let mut places = vec![false; path.len() + 1];
    places[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let Some(first) = places.iter().position(|place| *place) else {
            return false;
        };
        if pattern[at..].starts_with(b"**") {
            at += 2;
            if pattern.get(at) == Some(&b'/') {
                at += 1;
            }
            if at == pattern.len() {
                return true;
            }
            for (slash, _) in path
                .iter()
                .enumerate()
                .skip(first)
                .filter(|(_, byte)| **byte == b'/')
            {
                places[slash + 1] = true;
            }
        } else if pattern[at] == b'*' {
            at += 1;
            for place in first..path.len() {
                if places[place] && path[place] != b'/' {
                    places[place + 1] = true;
                }
            }
        } else {
            let mut next_places = vec![false; path.len() + 1];
            let mut next_at = None;
            for place in (first..path.len()).filter(|place| places[*place]) {
                match glob::one(pattern, at, path[place]) {
                    Ok(Some(next)) => {
                        next_at = Some(next);
                        next_places[place + 1] = true;
                    }
                    Ok(None) => {}
                    Err(_) => return false,
                }
            }
            let Some(next) = next_at else {
                return false;
            };
            at = next;
            places = next_places;
        }
    }
    places[path.len()]
}

#[cfg(test)]
mod tests {
    use super::Rules;

    fn excluded(lines: &[&str], path: &str) -> bool {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let rules = Rules::parse(&lines).unwrap_or_default();
        rules.state_of(path.as_bytes()).0
    }

    #[test]
    fn paths_are_excluded_as_in_moby() {
        for (lines, path, expected) in [
            (&["**"][..], "file", true),
            (&["**"], "dir/file", true),
            (&["**/"], "file", true),
            (&["**/"], "dir/file/", true),
            (&["**/**"], "dir/file", true),
            (&["dir/**"], "dir/file", true),
            (&["dir/**"], "dir/dir2/file", true),
            (&["dir/**"], "dir", false),
            (&["**/dir"], "dir", true),
            (&["**/dir"], "dir/file", true),
            (&["**/dir2/*"], "dir/dir2/file", true),
            (&["**/dir2/**"], "dir/dir2/dir2/file", true),
            (&["**file"], "file", true),
            (&["**file"], "dir/file", true),
            (&["**file"], "dir/dirfile", true),
            (&["**/file"], "dir/file", true),
            (&["**/file*"], "dir/dir/file.txt", true),
            (&["**/file*txt"], "dir/dir/file.txt", true),
            (&["**/file*.txt*"], "dir/dir/file.txt.bak", true),
            (&["**/**/*.txt"], "dir/dir/file.txt", true),
            (&["**/*.txt"], "file.txt", true),
            (&["**/*.txt"], "file.txt.bak", false),
            (&["a**/*.txt"], "a/file.txt", true),
            (&["a/b*"], "a/bc/d", true),
            (&["a[b-d]e"], "ace", true),
            (&["a[b-d]e"], "aze", false),
            (&["*"], "dir/file", true),
            (&["*.md", "!README.md"], "README.md", false),
            (&["*.md", "!README.md"], "CHANGES.md", true),
            (&["!README.md", "*.md"], "README.md", true),
            (&["docs", "!docs/keep"], "docs/keep/x", false),
            (&["docs", "!docs/keep"], "docs/other", true),
            (
                &["docs", "!docs/keep", "docs/keep/secret"],
                "docs/keep/secret",
                true,
            ),
            (&["/abs"], "abs/x", true),
            (&["./here/"], "here/x", true),
            (&["a/../b"], "b", true),
            (&["."], "x", false),
            (&["# note", "", "  x  "], "x", true),
            (&["*", "!src"], "src/main.rs", false),
            (&["node_modules"], "sub/node_modules", false),
            (&["**/node_modules"], "sub/node_modules/x", true),
        ] {
            assert_eq!(excluded(lines, path), expected, "{lines:?} {path}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let path = "a/".repeat(60) + "b";
        for part in ["**/", "*a", "**/a/", "*"] {
            assert!(!excluded(&[&(part.repeat(200) + "x")], &path), "{part}");
        }
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for line in ["!", "[", "a[b", "x\\"] {
            assert!(Rules::parse(&[line.to_owned()]).is_err(), "{line}");
        }
    }
}
