//! The one error of the helper: a kind, a message, an errno and a path. It is printed once, as one
//! JSON line, at the edge of the process.

use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// The closed set of kinds, the same as the engine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    NotFound,
    Conflict,
    Invalid,
    Forbidden,
    Unavailable,
    NotImplemented,
    Cancelled,
    Internal,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
            Self::NotImplemented => "not-implemented",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

/// What went wrong, on which path, with which errno.
#[derive(Debug, Clone)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    pub errno: Option<rustix::io::Errno>,
    pub path: Option<PathBuf>,
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            errno: None,
            path: None,
        }
    }

    /// A failed system call: the kind follows from the errno.
    pub fn errno(message: impl Into<String>, errno: rustix::io::Errno) -> Self {
        use rustix::io::Errno;
        let kind = match errno {
            Errno::NOENT => Kind::NotFound,
            Errno::EXIST | Errno::BUSY | Errno::NOTEMPTY | Errno::ADDRINUSE => Kind::Conflict,
            Errno::PERM | Errno::ACCESS | Errno::ROFS => Kind::Forbidden,
            Errno::NOSPC | Errno::DQUOT | Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE => {
                Kind::Unavailable
            }
            Errno::INVAL
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NAMETOOLONG
            | Errno::NOTDIR
            | Errno::ADDRNOTAVAIL => Kind::Invalid,
            Errno::NOSYS | Errno::OPNOTSUPP => Kind::NotImplemented,
            _ => Kind::Internal,
        };
        Self {
            kind,
            message: message.into(),
            errno: Some(errno),
            path: None,
        }
    }

    #[must_use]
    pub fn at(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The JSON object of the contract (docs/native.md).
    pub fn to_json(&self) -> serde_json::Value {
        json!({"error": {
            "kind": self.kind.name(),
            "message": self.message,
            "errno": self.errno.map(errno_name),
            "path": self.path,
        }})
    }

    /// Prints the error line and gives the exit status.
    pub fn report(&self) -> ExitCode {
        eprintln!("{}", self.to_json());
        ExitCode::from(1)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.message)?;
        if let Some(path) = &self.path {
            write!(out, ": {}", path.display())?;
        }
        if let Some(errno) = self.errno {
            write!(out, ": {errno}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// The symbolic name of the errnos that callers tell apart, the number for the rest.
fn errno_name(errno: rustix::io::Errno) -> String {
    use rustix::io::Errno;
    let known = [
        (Errno::NOENT, "ENOENT"),
        (Errno::EXIST, "EEXIST"),
        (Errno::PERM, "EPERM"),
        (Errno::ACCESS, "EACCES"),
        (Errno::ROFS, "EROFS"),
        (Errno::NOSPC, "ENOSPC"),
        (Errno::DQUOT, "EDQUOT"),
        (Errno::INVAL, "EINVAL"),
        (Errno::LOOP, "ELOOP"),
        (Errno::XDEV, "EXDEV"),
        (Errno::NOTDIR, "ENOTDIR"),
        (Errno::ISDIR, "EISDIR"),
        (Errno::NAMETOOLONG, "ENAMETOOLONG"),
        (Errno::NOTEMPTY, "ENOTEMPTY"),
        (Errno::BUSY, "EBUSY"),
        (Errno::NOEXEC, "ENOEXEC"),
        (Errno::NOMEM, "ENOMEM"),
        (Errno::AGAIN, "EAGAIN"),
        (Errno::SRCH, "ESRCH"),
        (Errno::NOSYS, "ENOSYS"),
        (Errno::OPNOTSUPP, "EOPNOTSUPP"),
        (Errno::IO, "EIO"),
        (Errno::PIPE, "EPIPE"),
        (Errno::MFILE, "EMFILE"),
        (Errno::ADDRINUSE, "EADDRINUSE"),
        (Errno::ADDRNOTAVAIL, "EADDRNOTAVAIL"),
        (Errno::AFNOSUPPORT, "EAFNOSUPPORT"),
        (Errno::CONNREFUSED, "ECONNREFUSED"),
        (Errno::HOSTUNREACH, "EHOSTUNREACH"),
        (Errno::NETUNREACH, "ENETUNREACH"),
        (Errno::TIMEDOUT, "ETIMEDOUT"),
    ];
    known.iter().find(|(value, _)| *value == errno).map_or_else(
        || errno.raw_os_error().to_string(),
        |(_, name)| (*name).to_owned(),
    )
}
