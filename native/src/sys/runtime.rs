//! System calls of the OCI runtime: clone3, mount_setattr, seccomp, execve, close_range, capabilities
//! and signals. Everything here assumes a single-threaded process.

use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

pub const CLONE_PARENT: u64 = 0x8000;
pub const CLONE_NEWTIME: u64 = 0x80;
pub const CLONE_NEWNS: u64 = 0x0002_0000;
pub const CLONE_NEWCGROUP: u64 = 0x0200_0000;
pub const CLONE_NEWUTS: u64 = 0x0400_0000;
pub const CLONE_NEWIPC: u64 = 0x0800_0000;
pub const CLONE_NEWUSER: u64 = 0x1000_0000;
pub const CLONE_NEWPID: u64 = 0x2000_0000;
pub const CLONE_NEWNET: u64 = 0x4000_0000;
const CLONE_PIDFD: u64 = 0x1000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

pub const ATTR_RDONLY: u64 = 1;
pub const ATTR_NOSUID: u64 = 2;
pub const ATTR_NODEV: u64 = 4;
pub const ATTR_NOEXEC: u64 = 8;
pub const ATTR_ATIME: u64 = 0x70;
pub const ATTR_NOATIME: u64 = 0x10;
pub const ATTR_STRICTATIME: u64 = 0x20;
pub const ATTR_NODIRATIME: u64 = 0x80;
pub const ATTR_IDMAP: u64 = 0x0010_0000;
pub const ATTR_NOSYMFOLLOW: u64 = 0x0020_0000;
pub const MS_UNBINDABLE: u64 = 1 << 17;
pub const MS_PRIVATE: u64 = 1 << 18;
pub const MS_SLAVE: u64 = 1 << 19;
pub const MS_SHARED: u64 = 1 << 20;

/// Which side of a fork this is.
pub enum Fork {
    Child,
    Parent { pid: i32, pidfd: OwnedFd },
}

#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Forks with clone3(2): `flags` are name spaces and CLONE_PARENT; `cgroup` is a v2 directory that
/// the child is born in. The child is a copy with everything that this process has.
pub fn fork(flags: u64, cgroup: Option<BorrowedFd<'_>>) -> Result<Fork, Errno> {
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: flags | CLONE_PIDFD,
        pidfd: std::ptr::addr_of_mut!(pidfd) as u64,
        exit_signal: if flags & CLONE_PARENT == 0 { 17 } else { 0 },
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::try_from(cgroup.as_raw_fd()).map_err(|_| Errno::BADF)?;
    }
    // SAFETY: args is a valid clone_args of the given size and lives through the call; no stack is
    // given, so the child goes on with a copy-on-write copy of this one, as after fork. The process
    // is single-threaded, so no lock is held by a thread that the child lacks.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            std::ptr::addr_of_mut!(args),
            std::mem::size_of::<CloneArgs>(),
        )
    };
    if result < 0 {
        return Err(last_errno());
    }
    if result == 0 {
        return Ok(Fork::Child);
    }
    // SAFETY: CLONE_PIDFD succeeded, so the kernel stored a new descriptor that nobody else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Fork::Parent {
        pid: i32::try_from(result).map_err(|_| Errno::RANGE)?,
        pidfd,
    })
}

#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// What [`mount_setattr`] changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttrChange {
    pub set: u64,
    pub clear: u64,
    /// One of the MS_ values, or 0.
    pub propagation: u64,
    pub recursive: bool,
}

/// mount_setattr(2) on the mount that `fd` is.
pub fn mount_setattr(fd: impl AsFd, change: AttrChange) -> Result<(), Errno> {
    set_mount(fd.as_fd(), change, 0)
}

/// Shows the mount that `fd` is, but none below it, with the owners that the user name space maps
/// (mount_setattr(2), MOUNT_ATTR_IDMAP).
pub fn idmap_mount(fd: impl AsFd, userns: BorrowedFd<'_>) -> Result<(), Errno> {
    let change = AttrChange {
        set: ATTR_IDMAP,
        ..AttrChange::default()
    };
    let userns = u64::try_from(userns.as_raw_fd()).map_err(|_| Errno::BADF)?;
    set_mount(fd.as_fd(), change, userns)
}

fn set_mount(fd: BorrowedFd<'_>, change: AttrChange, userns_fd: u64) -> Result<(), Errno> {
    let attr = MountAttr {
        attr_set: change.set,
        attr_clr: change.clear,
        propagation: change.propagation,
        userns_fd,
    };
    let flags = libc::AT_EMPTY_PATH | if change.recursive { 0x8000 } else { 0 };
    // SAFETY: attr is a valid mount_attr of the given size, the path is an empty C string.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            fd.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::addr_of!(attr),
            std::mem::size_of::<MountAttr>(),
        )
    };
    check(result)
}

#[repr(C)]
struct SockFprog {
    len: libc::c_ushort,
    filter: *const u64,
}

/// seccomp(SECCOMP_SET_MODE_FILTER). Each instruction is a `struct sock_filter` as 8 bytes.
pub fn seccomp_load(instructions: &[u64], flags: u32) -> Result<(), Errno> {
    let len = libc::c_ushort::try_from(instructions.len()).map_err(|_| Errno::TOOBIG)?;
    let program = SockFprog {
        len,
        filter: instructions.as_ptr(),
    };
    // SAFETY: program points to `len` instructions of 8 bytes that live through the call; the kernel
    // verifies them.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, 1, flags, std::ptr::addr_of!(program)) };
    check(result)
}

/// execve(2): returns only on failure. Both slices of pointers end with null (see [`pointers`]).
pub fn execve(path: &CStr, argv: &[&CStr], envp: &[&CStr]) -> Errno {
    let argv = pointers(argv);
    let envp = pointers(envp);
    // SAFETY: path is a C string, both arrays hold valid C strings and end with a null pointer.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    last_errno()
}

/// execveat(2) of an open file (AT_EMPTY_PATH): returns only on failure.
pub fn exec_file(file: BorrowedFd<'_>, argv: &[&CStr], envp: &[&CStr]) -> Errno {
    let argv = pointers(argv);
    let envp = pointers(envp);
    // SAFETY: as for execve; the path is the empty C string and the descriptor is open.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    last_errno()
}

fn pointers(strings: &[&CStr]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|text| text.as_ptr())
        .chain([std::ptr::null()])
        .collect()
}

/// Marks every descriptor from `first` on close-on-exec.
pub fn cloexec_from(first: u32) -> Result<(), Errno> {
    close_range(first, u32::MAX, 4)
}

/// Closes every descriptor from 3 on but `keep`. The caller must not use any other afterwards.
pub fn close_all_but(keep: &[RawFd]) -> Result<(), Errno> {
    let mut keep: Vec<u32> = keep
        .iter()
        .filter_map(|fd| u32::try_from(*fd).ok())
        .filter(|fd| *fd >= 3)
        .collect();
    keep.sort_unstable();
    let mut next = 3;
    for fd in keep {
        if fd > next {
            close_range(next, fd - 1, 0)?;
        }
        next = next.max(fd + 1);
    }
    close_range(next, u32::MAX, 0)
}

fn close_range(first: u32, last: u32, flags: u32) -> Result<(), Errno> {
    // SAFETY: closing or marking descriptors touches no memory; the callers are forked children just
    // before execve or before they replace their whole state, and use none of the closed ones.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) })
}

/// Sets or clears close-on-exec on a descriptor given by number. Errors: EBADF.
pub fn set_cloexec(fd: RawFd, on: bool) -> Result<(), Errno> {
    // SAFETY: fcntl on an integer; a number that is not open answers EBADF.
    check(libc::c_long::from(unsafe {
        libc::fcntl(fd, libc::F_SETFD, libc::c_int::from(on))
    }))
}

/// unshare(2).
pub fn unshare(flags: u64) -> Result<(), Errno> {
    let flags = libc::c_int::try_from(flags).map_err(|_| Errno::INVAL)?;
    // SAFETY: name space flags touch no memory of the process.
    check(libc::c_long::from(unsafe { libc::unshare(flags) }))
}

/// Drops one capability from the bounding set; EINVAL when the kernel does not know it.
pub fn drop_bounding(capability: u32) -> Result<(), Errno> {
    prctl(libc::PR_CAPBSET_DROP, [u64::from(capability), 0, 0, 0])
}

pub fn raise_ambient(capability: u32) -> Result<(), Errno> {
    prctl(libc::PR_CAP_AMBIENT, [2, u64::from(capability), 0, 0])
}

pub fn clear_ambient() -> Result<(), Errno> {
    prctl(libc::PR_CAP_AMBIENT, [4, 0, 0, 0])
}

fn prctl(option: libc::c_int, args: [u64; 4]) -> Result<(), Errno> {
    // SAFETY: the options used here take integers only.
    check(libc::c_long::from(unsafe {
        libc::prctl(option, args[0], args[1], args[2], args[3])
    }))
}

/// Unblocks every signal and gives each its default action.
pub fn reset_signals() {
    // SAFETY: the set is initialised by sigemptyset before use; SIG_DFL is a valid disposition, and
    // signals that cannot be changed only answer EINVAL.
    unsafe {
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(std::ptr::addr_of_mut!(set));
        libc::sigprocmask(libc::SIG_SETMASK, std::ptr::addr_of!(set), std::ptr::null_mut());
    }
}

/// Blocks every signal (for `init`, which takes them with [`wait_signal`]).
pub fn block_signals() {
    // SAFETY: the set is initialised by sigfillset before use.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(std::ptr::addr_of_mut!(set));
        libc::sigprocmask(libc::SIG_SETMASK, std::ptr::addr_of!(set), std::ptr::null_mut());
    }
}

/// Waits for any blocked signal and takes it.
pub fn wait_signal() -> Result<i32, Errno> {
    // SAFETY: the set is initialised by sigfillset before use; no siginfo is asked for.
    let signal = unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(std::ptr::addr_of_mut!(set));
        libc::sigwaitinfo(std::ptr::addr_of!(set), std::ptr::null_mut())
    };
    if signal < 0 { Err(last_errno()) } else { Ok(signal) }
}

/// kill(2) with any signal number, also to groups and everybody (pid -1).
pub fn kill(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: integers only.
    check(libc::c_long::from(unsafe { libc::kill(pid, signal) }))
}

/// pidfd_send_signal(2) with any signal number; 0 only tests.
pub fn pidfd_kill(pidfd: impl AsFd, signal: i32) -> Result<(), Errno> {
    let fd = pidfd.as_fd().as_raw_fd();
    // SAFETY: no siginfo is given (null), which the call allows.
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, std::ptr::null::<u8>(), 0) })
}

/// Ends the process at once, without running anything else.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit never returns and touches no memory of the process.
    unsafe { libc::_exit(status) }
}

fn check(result: libc::c_long) -> Result<(), Errno> {
    if result < 0 { Err(last_errno()) } else { Ok(()) }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// Brings `lo` of the current network name space up (netdevice(7)).
pub fn loopback_up(socket: impl AsFd) -> Result<(), Errno> {
    // SAFETY: an all-zero ifreq is valid; the name is a C string that fits; both ioctls read and
    // write only that ifreq.
    unsafe {
        let mut request = std::mem::zeroed::<libc::ifreq>();
        for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes_with_nul()) {
            *to = from.cast_signed();
        }
        let fd = socket.as_fd().as_raw_fd();
        check(libc::c_long::from(libc::ioctl(
            fd,
            libc::SIOCGIFFLAGS,
            std::ptr::addr_of_mut!(request),
        )))?;
        request.ifr_ifru.ifru_flags |= 1;
        check(libc::c_long::from(libc::ioctl(
            fd,
            libc::SIOCSIFFLAGS,
            std::ptr::addr_of_mut!(request),
        )))
    }
}

/// A descriptor that gives every blocked signal (signalfd(2)).
pub fn signal_fd() -> Result<OwnedFd, Errno> {
    // SAFETY: the set is initialised by sigfillset before use; the result is a new descriptor.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(std::ptr::addr_of_mut!(set));
        let fd = libc::signalfd(
            -1,
            std::ptr::addr_of!(set),
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
        );
        if fd < 0 {
            Err(last_errno())
        } else {
            Ok(OwnedFd::from_raw_fd(fd))
        }
    }
}

/// The next signal of [`signal_fd`].
pub fn take_signal(fd: &OwnedFd) -> Option<i32> {
    let mut info = [0; std::mem::size_of::<libc::signalfd_siginfo>()];
    let read = rustix::io::read(fd, &mut info).ok()?;
    // ssi_signo is the first field, 32 bits.
    let number = info.first_chunk::<4>().filter(|_| read == info.len())?;
    i32::try_from(u32::from_ne_bytes(*number)).ok()
}

/// Makes a command start with default signals, none blocked: std passes this process's mask on.
pub fn with_default_signals(command: &mut std::process::Command) -> &mut std::process::Command {
    use std::os::unix::process::CommandExt;
    // SAFETY: reset_signals only makes async-signal-safe calls and touches no shared memory.
    unsafe {
        command.pre_exec(|| {
            reset_signals();
            Ok(())
        })
    }
}
