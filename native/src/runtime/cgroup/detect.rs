//! Which cgroup hierarchies are mounted here, from /proc/self/mountinfo and /proc/self/cgroup.

use super::super::files::read_bounded;
use crate::error::Failure;
use std::path::{Path, PathBuf};

/// v1 controllers that a container is put into.
const CONTROLLERS: [&str; 9] = [
    "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb",
];

/// The hierarchies in use: v1 ones when any v1 controller is mounted, else v2.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    pub version: u8,
    pub hierarchies: Vec<Hierarchy>,
}

#[derive(Debug, Clone)]
pub struct Hierarchy {
    /// Empty for v2.
    pub controllers: Vec<String>,
    pub mount: PathBuf,
    /// The path of this process in it, from the mount.
    pub own: String,
}

impl Hierarchy {
    pub fn own(&self) -> PathBuf {
        self.mount.join(self.own.trim_start_matches('/'))
    }
}

impl Layout {
    pub fn detect() -> Result<Self, Failure> {
        let mounts = read_bounded(Path::new("/proc/self/mountinfo"), 16 << 20)?;
        let own = read_bounded(Path::new("/proc/self/cgroup"), 1 << 20)?;
        Ok(Self::parse(
            &String::from_utf8_lossy(&mounts),
            &String::from_utf8_lossy(&own),
        ))
    }

    fn parse(mountinfo: &str, own: &str) -> Self {
        let mut v1: Vec<Hierarchy> = Vec::new();
        let mut v2 = None;
        for line in mountinfo.lines() {
            let Some((head, tail)) = line.split_once(" - ") else {
                continue;
            };
            let mut head = head.split(' ').skip(3);
            let (Some(root), Some(point)) = (head.next(), head.next()) else {
                continue;
            };
            let mut tail = tail.split(' ');
            let (kind, options) = (tail.next(), tail.nth(1).unwrap_or_default());
            let mount = PathBuf::from(unescape(point));
            match kind {
                Some("cgroup") => {
                    let controllers: Vec<String> = options
                        .split(',')
                        .filter(|word| CONTROLLERS.contains(word))
                        .map(str::to_owned)
                        .collect();
                    let known = v1.iter().any(|seen| seen.controllers == controllers);
                    if !controllers.is_empty() && !known {
                        let own = below(own_path(own, Some(&controllers[0])), root);
                        v1.push(Hierarchy {
                            controllers,
                            mount,
                            own,
                        });
                    }
                }
                Some("cgroup2") if v2.is_none() => {
                    let own = below(own_path(own, None), root);
                    v2 = Some(Hierarchy {
                        controllers: Vec::new(),
                        mount,
                        own,
                    });
                }
                _ => {}
            }
        }
        if v1.is_empty() {
            let hierarchies: Vec<Hierarchy> = v2.into_iter().collect();
            return Self {
                version: if hierarchies.is_empty() { 0 } else { 2 },
                hierarchies,
            };
        }
        Self {
            version: 1,
            hierarchies: v1,
        }
    }
}

fn own_path(own: &str, controller: Option<&str>) -> String {
    own.lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .find(|(names, _)| match controller {
            Some(controller) => names.split(',').any(|name| name == controller),
            None => names.is_empty(),
        })
        .map_or_else(|| "/".to_owned(), |(_, path)| path.to_owned())
}

/// The own path as seen from a mount whose root is `root` of the hierarchy.
fn below(own: String, root: &str) -> String {
    if root == "/" {
        return own;
    }
    own.strip_prefix(root)
        .map_or_else(|| "/".to_owned(), str::to_owned)
}

/// mountinfo writes space, tab, newline and backslash in octal.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 25 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
";

    #[test]
    fn a_hybrid_layout_is_v1_without_the_named_hierarchy() {
        let layout = Layout::parse(HYBRID, "5:memory:/a/b\n3:cpu,cpuacct:/\n0::/\n");
        assert_eq!(layout.version, 1);
        assert_eq!(layout.hierarchies.len(), 2);
        assert_eq!(layout.hierarchies[0].controllers, ["cpu", "cpuacct"]);
        assert_eq!(
            layout.hierarchies[1].own(),
            Path::new("/sys/fs/cgroup/memory/a/b")
        );
    }

    #[test]
    fn only_cgroup2_is_v2_and_nothing_is_none() {
        let layout = Layout::parse(
            "33 25 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            "0::/user.slice\n",
        );
        assert_eq!(
            (layout.version, layout.hierarchies[0].own()),
            (2, PathBuf::from("/sys/fs/cgroup/user.slice"))
        );
        assert_eq!(Layout::parse("garbage\n- - -\n", "").version, 0);
    }
}
