//! Why this machine forbids user name spaces, and the one command that mends it. It reads /proc only.

use crate::error::Failure;
use rustix::io::Errno;

/// A cause and its remedy.
pub struct Cause {
    pub message: String,
    pub remedy: Option<String>,
}

/// The failed step with its cause and remedy in one message.
pub fn explain(step: &str, errno: Errno) -> Failure {
    let cause = find(errno);
    let remedy = cause
        .remedy
        .map_or_else(String::new, |remedy| format!(" Remedy: {remedy}"));
    Failure::errno(format!("{step}: {}.{remedy}", cause.message), errno)
}

/// What is known about the refusal.
pub fn find(errno: Errno) -> Cause {
    let cause = |message: &str, remedy: &str| Cause {
        message: message.to_owned(),
        remedy: (!remedy.is_empty()).then(|| remedy.to_owned()),
    };
    if number("/proc/sys/user/max_user_namespaces") == Some(0) {
        return cause(
            "user name spaces are switched off (user.max_user_namespaces is 0)",
            "sudo sysctl -w user.max_user_namespaces=28633",
        );
    }
    if number("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return cause(
            "user name spaces are root's only (kernel.unprivileged_userns_clone is 0)",
            "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        );
    }
    if errno == Errno::NOSPC || errno == Errno::USERS {
        return cause(
            "there are too many user name spaces, or they are nested too deeply (user.max_user_namespaces)",
            "end some containers or sandboxes, or raise the limit with sysctl user.max_user_namespaces",
        );
    }
    if apparmor_restricts() {
        return cause(
            "AppArmor restricts user name spaces for this program (kernel.apparmor_restrict_unprivileged_userns is 1)",
            "start the engine from the editor, or sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        );
    }
    if filtered() {
        return cause(
            "a seccomp filter of the surrounding sandbox or container forbids it",
            "run outside that sandbox, or start it with a profile that allows unshare, mount and setns",
        );
    }
    if errno == Errno::INVAL {
        return cause("this kernel has no user name spaces (CONFIG_USER_NS)", "");
    }
    cause("the kernel refused it", "")
}

/// True on Ubuntu 23.10 and later unless switched off.
pub fn apparmor_restricts() -> bool {
    number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1)
}

/// True when this process runs under a seccomp filter.
fn filtered() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| {
        line.strip_prefix("Seccomp:")
            .is_some_and(|mode| mode.trim() == "2")
    })
}

fn number(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}
