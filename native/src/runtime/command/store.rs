//! The state directory of the command line: one directory for each container beneath --root, with
//! what the next verb needs. A directory that is there is a container; nothing else is kept.

use crate::error::{Failure, Kind};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::create::{open_pid, start_time};
use crate::runtime::files::{from_io, read_bounded, read_kernel_at, replace};
use crate::runtime::hooks::State;
use crate::runtime::spec::Spec;
use crate::runtime::{Container, validate};
use rustix::fs::CWD;
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const MAX_BYTES: u64 = 16 << 20;

/// What is written to `state.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    pub state: State,
    pub start_time: u64,
    pub cgroup: Cgroup,
    /// RFC 3339, seconds.
    pub created: String,
    pub rootfs: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Creating,
    Created,
    Running,
    Paused,
    Stopped,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// All containers of one --root.
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The default is /run/pinnace, for others than root $XDG_RUNTIME_DIR/pinnace.
    pub fn new(root: Option<PathBuf>) -> Self {
        let private = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !rustix::process::geteuid().is_root());
        let root = root.or_else(|| private.map(|directory| PathBuf::from(directory).join("pinnace")));
        Self {
            root: root.unwrap_or_else(|| PathBuf::from("/run/pinnace")),
        }
    }

    pub fn directory(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// Claims an id. Error: conflict when it is taken.
    pub fn claim(&self, id: &str) -> Result<PathBuf, Failure> {
        validate::id(id)?;
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700);
        let directory = self.directory(id);
        let made = builder.create(&directory).or_else(|err| {
            if err.kind() != std::io::ErrorKind::NotFound {
                return Err(err);
            }
            builder.recursive(true).create(&self.root)?;
            builder.recursive(false).create(&directory)
        });
        made.map_err(|err| {
            if err.kind() == std::io::ErrorKind::AlreadyExists {
                return Failure::new(Kind::Conflict, format!("container with id exists already: {id}"));
            }
            from_io("cannot make the state directory", &err).at(&directory)
        })?;
        Ok(directory)
    }

    pub fn save(&self, container: &Container, spec: &[u8], rootfs: PathBuf) -> Result<(), Failure> {
        let directory = self.directory(&container.id);
        let saved = Saved {
            state: container.after.state.clone(),
            start_time: container.start_time,
            cgroup: container.cgroup.clone(),
            created: timestamp(),
            rootfs,
        };
        let text = serde_json::to_vec(&saved).map_err(|err| Failure::new(Kind::Internal, err.to_string()))?;
        std::fs::write(directory.join("config.json"), spec)
            .map_err(|err| from_io("cannot keep the config.json", &err).at(&directory))?;
        replace(&directory.join("state.json"), &text)
    }

    /// Error: not-found, worded as runc does.
    pub fn load(&self, id: &str) -> Result<Entry, Failure> {
        validate::id(id)?;
        let directory = self.directory(id);
        if !directory.is_dir() {
            return Err(Failure::new(
                Kind::NotFound,
                format!("container does not exist: {id}"),
            ));
        }
        let path = directory.join("state.json");
        let text = match read_bounded(&path, MAX_BYTES) {
            Err(failure) if failure.kind == Kind::NotFound => {
                return Ok(Entry {
                    directory,
                    saved: None,
                });
            }
            other => other?,
        };
        let saved = serde_json::from_slice(&text)
            .map_err(|err| Failure::new(Kind::Internal, format!("unreadable state: {err}")).at(&path))?;
        Ok(Entry {
            directory,
            saved: Some(saved),
        })
    }

    pub fn ids(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.root) else {
            return Vec::new();
        };
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut ids: Vec<String> = names.filter(|name| validate::id(name).is_ok()).collect();
        ids.sort();
        ids
    }

    pub fn forget(&self, id: &str) -> Result<(), Failure> {
        let directory = self.directory(id);
        match std::fs::remove_dir_all(&directory) {
            Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
                Err(from_io("cannot remove the state directory", &err).at(directory))
            }
            _ => Ok(()),
        }
    }
}

/// One container's state on disk; without `saved` its creation has not ended, or ended badly.
pub struct Entry {
    pub directory: PathBuf,
    pub saved: Option<Saved>,
}

impl Entry {
    pub fn saved(&self) -> Result<&Saved, Failure> {
        self.saved.as_ref().ok_or_else(|| {
            Failure::new(Kind::Conflict, "the container is still being created").at(&self.directory)
        })
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.join("start.sock")
    }

    pub fn status(&self) -> Status {
        let Some(saved) = &self.saved else {
            return Status::Creating;
        };
        if !alive(saved.state.pid, saved.start_time) {
            return Status::Stopped;
        }
        if self.socket().exists() {
            return Status::Created;
        }
        if saved.cgroup.frozen() {
            Status::Paused
        } else {
            Status::Running
        }
    }

    pub fn spec(&self) -> Result<Spec, Failure> {
        let path = self.directory.join("config.json");
        Spec::parse(&read_bounded(&path, MAX_BYTES)?).map_err(|failure| failure.at(path))
    }

    /// The living container. Error: conflict when it is stopped.
    pub fn container(&self, id: &str) -> Result<Container, Failure> {
        let saved = self.saved()?;
        let container = Container::adopt(
            id,
            saved.state.pid,
            saved.cgroup.clone(),
            &self.spec()?,
            saved.state.clone(),
        )?;
        // The pidfd is of the right process only if that still has the start time.
        if container.start_time != saved.start_time {
            return Err(Failure::new(
                Kind::Conflict,
                format!("container {id} is not running"),
            ));
        }
        Ok(container)
    }

    /// A pidfd of init, None when it is dead.
    pub fn pidfd(&self) -> Option<OwnedFd> {
        let saved = self.saved.as_ref()?;
        let pidfd = open_pid(saved.state.pid).ok()?;
        alive(saved.state.pid, saved.start_time).then_some(pidfd)
    }
}

/// That very process, and not a zombie.
fn alive(pid: i32, started: u64) -> bool {
    if start_time(pid).ok() != Some(started) {
        return false;
    }
    let Ok(stat) = read_kernel_at(CWD, Path::new(&format!("/proc/{pid}/stat"))) else {
        return false;
    };
    let state = stat.rfind(')').and_then(|end| stat.get(end + 2..end + 3));
    !matches!(state, Some("Z" | "X") | None)
}

/// Now, as RFC 3339 in UTC, in whole seconds.
pub fn timestamp() -> String {
    crate::time::Stamp {
        nanos: 0,
        ..crate::time::now()
    }
    .to_string()
}
