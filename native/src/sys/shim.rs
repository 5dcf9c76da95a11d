//! System calls of the shim, `enter` and `probe` that rustix does not wrap as safe: fork, signalfd,
//! descriptor sweeps, name spaces and giving memory back.

use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Which side of a fork this is.
pub enum Fork {
    Child,
    Parent(Pid),
}

/// Forks this process, which must be single-threaded (every verb is), so the child may run ordinary code.
pub fn fork() -> Result<Fork, Errno> {
    // SAFETY: the process has one thread, so no lock can be held by a thread that the child lacks.
    let pid = unsafe { libc::fork() };
    match pid {
        0 => Ok(Fork::Child),
        pid if pid > 0 => Pid::from_raw(pid).map(Fork::Parent).ok_or(Errno::INVAL),
        _ => Err(last_errno()),
    }
}

/// Ends the process at once, without destructors or buffered output of the parent's copy.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` takes a plain integer and does not return.
    unsafe { libc::_exit(code) }
}

/// Blocks the signals and gives a non-blocking descriptor that becomes readable when one is pending.
pub fn signal_fd(signals: &[i32]) -> Result<OwnedFd, Errno> {
    // SAFETY: `set` is initialised by sigemptyset before use and outlives the calls; the descriptor
    // that signalfd returns is new and owned by nobody else.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
            return Err(last_errno());
        }
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 {
            return Err(last_errno());
        }
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Closes every descriptor above 2 but `keep`. Only for a process that holds no other OwnedFd.
pub fn close_all_but(keep: RawFd) {
    let keep = u32::try_from(keep).unwrap_or(2).max(2);
    // SAFETY: the caller owns no descriptor other than `keep` (the child side right after a fork), so
    // nothing that Rust believes open is closed.
    unsafe {
        if keep > 3 {
            libc::syscall(libc::SYS_close_range, 3u32, keep - 1, 0u32);
        }
        libc::syscall(libc::SYS_close_range, keep + 1, u32::MAX, 0u32);
    }
}

/// Leaves name spaces. The process is single-threaded.
pub fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: FILES is never passed, and no other thread shares what is unshared.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Sends any signal number, the real-time ones too, to the process of a pidfd.
pub fn signal_pidfd(pidfd: impl AsFd, signal: i32) -> Result<(), Errno> {
    // SAFETY: a plain system call with integers and a null siginfo.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_fd().as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0u32,
        )
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Gives free heap pages back to the kernel and forgets the program pages that start-up touched; what
/// is still needed comes back from the page cache at the next touch.
pub fn release_memory() {
    // SAFETY: malloc_trim has no preconditions; dl_iterate_phdr calls `forget` with a valid pointer.
    unsafe {
        libc::malloc_trim(0);
        libc::dl_iterate_phdr(Some(forget_segments), std::ptr::null_mut());
    }
}

unsafe extern "C" fn forget_segments(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader hands a valid description of a mapped object. Only segments that were never
    // writable are dropped (relocated read-only data belongs to a writable segment), so their contents
    // are exactly the file's.
    unsafe {
        let info = &*info;
        for index in 0..usize::from(info.dlpi_phnum) {
            let header = &*info.dlpi_phdr.add(index);
            if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
                continue;
            }
            let (Ok(base), Ok(start), Ok(size)) = (
                usize::try_from(info.dlpi_addr),
                usize::try_from(header.p_vaddr),
                usize::try_from(header.p_memsz),
            ) else {
                continue;
            };
            let from = (base + start) & !4095;
            let to = (base + start + size) & !4095;
            if to > from {
                libc::madvise(from as *mut libc::c_void, to - from, libc::MADV_DONTNEED);
            }
        }
    }
    1
}

/// Installs a seccomp filter that answers getppid with EXDEV, and says whether it took effect. Only for
/// a child that is about to exit.
pub fn seccomp_takes_effect() -> Result<(), Errno> {
    let op = |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter {
        code: u16::try_from(code).unwrap_or(0),
        jt,
        jf,
        k,
    };
    let number = u32::try_from(libc::SYS_getppid).unwrap_or(0);
    let errno = u32::try_from(libc::EXDEV).unwrap_or(0);
    let mut code = [
        op(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number, 0, 1),
        op(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno, 0, 0),
        op(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog {
        len: 4,
        filter: code.as_mut_ptr(),
    };
    // SAFETY: `program` and `code` outlive the call, and the filter is well-formed.
    unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            || libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program,
            ) != 0
        {
            return Err(last_errno());
        }
        match libc::syscall(libc::SYS_getppid) {
            -1 if last_errno() == Errno::XDEV => Ok(()),
            _ => Err(Errno::NOSYS),
        }
    }
}

/// What the last failed libc call said.
fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
