//! How a process gets into a cgroup without waiting. Whoever moves another process, or a whole one
//! through `cgroup.procs`, takes the kernel's lock of all thread groups, and the first to take it after
//! a quiet time waits for an RCU grace period (6 to 12 ms). A thread that moves only itself through v1's
//! `tasks` takes no lock (Linux 5.5, kernel/cgroup/cgroup.c: cgroup_procs_write_start), nor does a child
//! that is born in a v2 cgroup (clone3's CLONE_INTO_CGROUP). Nothing here moves anybody out again.

use super::super::files::write_kernel_at;
use super::Cgroup;
use crate::error::Failure;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

impl Cgroup {
    /// v2: the directory that a child can be born in.
    pub(crate) fn cradle(&self) -> Option<OwnedFd> {
        let group = self.groups.first().filter(|_| self.version == 2)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(&group.path, flags, Mode::empty()).ok()
    }

    /// Moves the calling process in, which must have one thread. An error names the first hierarchy that
    /// refuses.
    pub(crate) fn join(&self) -> Result<(), Failure> {
        self.groups.iter().enumerate().try_for_each(|(index, group)| {
            self.join_one(index)
                .map_err(|errno| Failure::errno("cannot join the cgroup", errno).at(&group.path))
        })
    }

    /// The same, but hierarchies may refuse: gives their indices, for [`Cgroup::leave_out`].
    pub(crate) fn join_where_allowed(&self) -> Result<Vec<u8>, Failure> {
        let mut refused = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            match self.join_one(index) {
                Ok(()) => {}
                Err(errno) if is_refusal(errno) => refused.extend(u8::try_from(index)),
                Err(errno) => return Err(Failure::errno("cannot join the cgroup", errno).at(&group.path)),
            }
        }
        Ok(refused)
    }

    fn join_one(&self, index: usize) -> Result<(), Errno> {
        let Some(group) = self.groups.get(index) else {
            return Ok(());
        };
        let file = if self.version == 1 {
            "tasks"
        } else {
            "cgroup.procs"
        };
        write_kernel_at(CWD, group.path.join(file), b"0")
    }

    /// Moves another process in, on v2. A hierarchy that refuses is left out.
    pub(crate) fn add(&mut self, pid: i32) -> Result<(), Failure> {
        let text = pid.to_string();
        let mut refused = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            match write_kernel_at(CWD, group.path.join("cgroup.procs"), text.as_bytes()) {
                Ok(()) => {}
                Err(errno) if is_refusal(errno) => refused.extend(u8::try_from(index)),
                Err(errno) => return Err(Failure::errno("cannot join the cgroup", errno).at(&group.path)),
            }
        }
        self.leave_out(&refused);
        Ok(())
    }

    /// Removes the directories of these indices and forgets them.
    pub(crate) fn leave_out(&mut self, indices: &[u8]) {
        let mut index = 0u8;
        self.groups.retain(|group| {
            let stays = !indices.contains(&index);
            if !stays {
                rustix::fs::rmdir(&group.path).ok();
            }
            index = index.saturating_add(1);
            stays
        });
    }
}

const fn is_refusal(errno: Errno) -> bool {
    matches!(errno, Errno::ACCESS | Errno::PERM | Errno::OPNOTSUPP)
}

#[cfg(test)]
mod tests {
    use super::super::Group;
    use super::*;
    use std::path::PathBuf;

    fn cgroup(version: u8, names: &[&str]) -> Cgroup {
        let groups = names.iter().map(|name| Group {
            controllers: vec![(*name).to_owned()],
            path: PathBuf::from("/nonexistent").join(name),
        });
        Cgroup {
            version,
            groups: groups.collect(),
        }
    }

    #[test]
    fn only_the_hierarchies_that_refused_are_left_out() {
        let mut cgroup = cgroup(1, &["cpu", "memory", "pids", "freezer"]);
        cgroup.leave_out(&[1, 3]);
        let left: Vec<_> = cgroup
            .groups
            .iter()
            .flat_map(|group| &group.controllers)
            .collect();
        assert_eq!(left, ["cpu", "pids"]);
    }

    #[test]
    fn a_directory_that_is_gone_is_an_error_that_names_it() {
        let failure = cgroup(1, &["cpu"]).join_where_allowed().err();
        let failure = failure.or_else(|| cgroup(2, &[""]).join().err());
        assert_eq!(
            failure.and_then(|failure| failure.path),
            Some("/nonexistent/cpu".into())
        );
    }

    #[test]
    fn only_v2_has_a_directory_to_be_born_in() {
        assert!(cgroup(1, &["cpu"]).cradle().is_none());
        assert!(cgroup(0, &[]).cradle().is_none());
    }
}
