//! bpf(2) for the programs that decide a v2 cgroup's device access: load, list, attach, replace.
//! It knows neither rules nor which program belongs where.

use rustix::io::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

pub const NAME_LENGTH: usize = 16;

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
const PROG_DETACH: libc::c_int = 9;
const PROG_GET_FD_BY_ID: libc::c_int = 13;
const OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const PROG_QUERY: libc::c_int = 16;

const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
const ALLOW_MULTI: u32 = 2;
const REPLACE: u32 = 4;
/// The kernel attaches at most this many to one cgroup.
const MOST_PROGRAMS: usize = 64;
/// Where `struct bpf_prog_info` holds the program's name.
const INFO_NAME: usize = 64;

#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; NAME_LENGTH],
}

#[repr(C)]
#[derive(Default)]
struct Attach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
    replaced: u32,
}

/// Newer kernels write counters behind the fields that are used here, hence the rest.
#[repr(C)]
#[derive(Default)]
struct Query {
    target: u32,
    kind: u32,
    query_flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    padding: u32,
    rest: [u64; 14],
}

#[repr(C)]
#[derive(Default)]
struct ById {
    id: u32,
    next: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct Info {
    program: u32,
    length: u32,
    buffer: u64,
}

/// # Safety
/// `A` is the part of `union bpf_attr` for `command`, and every address in it is valid for what the
/// command reads or writes there until the call returns.
unsafe fn bpf<A>(command: libc::c_int, attr: &mut A) -> Result<i32, Errno> {
    // SAFETY: attr lives through the call and its size is given; the rest is the caller's promise.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(attr),
            std::mem::size_of::<A>(),
        )
    };
    i32::try_from(result)
        .ok()
        .filter(|result| *result >= 0)
        .ok_or_else(|| {
            let raw = std::io::Error::last_os_error().raw_os_error();
            Errno::from_raw_os_error(raw.unwrap_or(libc::EINVAL))
        })
}

fn number(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// Has the kernel check and take a device program of 8-byte instructions.
pub fn load_device_program(program: &[u64], name: [u8; NAME_LENGTH]) -> Result<OwnedFd, Errno> {
    let mut attr = Load {
        kind: TYPE_CGROUP_DEVICE,
        count: u32::try_from(program.len()).map_err(|_| Errno::TOOBIG)?,
        instructions: program.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        name,
        ..Load::default()
    };
    // SAFETY: the instructions and the license outlive the call, which only reads them; the result
    // is a new descriptor (bpf(2) sets close-on-exec) that nothing else owns.
    unsafe {
        let fd = bpf(PROG_LOAD, &mut attr)?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// The device programs attached to this very cgroup that bear `name`.
pub fn attached_device_programs(
    cgroup: BorrowedFd<'_>,
    name: [u8; NAME_LENGTH],
) -> Result<Vec<OwnedFd>, Errno> {
    let mut ids = [0_u32; MOST_PROGRAMS];
    let mut query = Query {
        target: number(cgroup),
        kind: ATTACH_CGROUP_DEVICE,
        ids: ids.as_mut_ptr() as u64,
        count: 64,
        ..Query::default()
    };
    // SAFETY: the kernel writes at most `count` ids, for which the array has room.
    unsafe { bpf(PROG_QUERY, &mut query)? };
    let mut found = Vec::new();
    let attached = usize::try_from(query.count).unwrap_or(MOST_PROGRAMS);
    for id in ids.into_iter().take(attached) {
        let mut by_id = ById {
            id,
            ..ById::default()
        };
        // SAFETY: no addresses are passed; the result is a new descriptor that nothing else owns.
        let program = unsafe {
            match bpf(PROG_GET_FD_BY_ID, &mut by_id) {
                Ok(fd) => OwnedFd::from_raw_fd(fd),
                // Detached since it was listed.
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(errno),
            }
        };
        let mut buffer = [0_u8; INFO_NAME + NAME_LENGTH];
        let mut info = Info {
            program: program.as_raw_fd().cast_unsigned(),
            length: 80,
            buffer: buffer.as_mut_ptr() as u64,
        };
        // SAFETY: the kernel writes at most `length` bytes, which is the size of the buffer.
        unsafe { bpf(OBJ_GET_INFO_BY_FD, &mut info)? };
        if buffer.last_chunk() == Some(&name) {
            found.push(program);
        }
    }
    Ok(found)
}

/// Attaches beside what others attached, or in one step in the place of `replaced`.
pub fn attach_device_program(
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    replaced: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut attr = Attach {
        target: number(cgroup),
        program: number(program),
        kind: ATTACH_CGROUP_DEVICE,
        flags: ALLOW_MULTI | replaced.map_or(0, |_| REPLACE),
        replaced: replaced.map_or(0, number),
    };
    // SAFETY: no addresses are passed; the descriptors are borrowed for the call.
    unsafe { bpf(PROG_ATTACH, &mut attr) }.map(drop)
}

pub fn detach_device_program(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut attr = Attach {
        target: number(cgroup),
        program: number(program),
        kind: ATTACH_CGROUP_DEVICE,
        ..Attach::default()
    };
    // SAFETY: no addresses are passed; the descriptors are borrowed for the call.
    unsafe { bpf(PROG_DETACH, &mut attr) }.map(drop)
}
