//! Users and groups as an image's own /etc/passwd and /etc/group name them. Those files are hostile:
//! they are read beneath the root, bounded, and a line that does not parse is no line.

use crate::error::{Failure, Kind};
use crate::layer::tree::beneath::{file_type, open_in_root};
use rustix::fd::BorrowedFd;
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use std::io::Read;

/// A larger file is refused.
const MAX_FILE: u64 = 4 << 20;

/// Resolves `user[:group]`. As BuildKit does: a name brings its own group, a number is its own group.
pub fn resolve(root: BorrowedFd<'_>, spec: &str) -> Result<(u32, u32), Failure> {
    let (user, group) = spec
        .split_once(':')
        .map_or((spec, None), |(user, group)| (user, Some(group)));
    if user.is_empty() && group.is_none_or(str::is_empty) {
        return Err(Failure::new(Kind::Invalid, format!("\"{spec}\" names no user")));
    }
    let (uid, own_gid) = match number(user, spec)? {
        Some(uid) => (uid, uid),
        None if user.is_empty() => (0, 0),
        None => lookup(root, "etc/passwd", user)?.ok_or_else(|| {
            Failure::new(
                Kind::NotFound,
                format!("no user \"{user}\" in /etc/passwd of the root"),
            )
        })?,
    };
    let gid = match group.filter(|group| !group.is_empty()) {
        None => own_gid,
        Some(group) => match number(group, spec)? {
            Some(gid) => gid,
            None => {
                lookup(root, "etc/group", group)?
                    .ok_or_else(|| {
                        Failure::new(
                            Kind::NotFound,
                            format!("no group \"{group}\" in /etc/group of the root"),
                        )
                    })?
                    .0
            }
        },
    };
    Ok((uid, gid))
}

fn number(text: &str, spec: &str) -> Result<Option<u32>, Failure> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match text.parse::<u32>() {
        Ok(id) if id < i32::MAX.unsigned_abs() => Ok(Some(id)),
        _ => Err(Failure::new(
            Kind::Invalid,
            format!("\"{spec}\" holds an id out of range"),
        )),
    }
}

/// The first line of that name: its third field, and its fourth where it is a number.
fn lookup(root: BorrowedFd<'_>, path: &str, name: &str) -> Result<Option<(u32, u32)>, Failure> {
    let fail = |errno| Failure::errno(format!("cannot read /{path} of the root"), errno);
    let fd = match open_in_root(root, path.as_bytes(), OFlags::RDONLY | OFlags::NONBLOCK) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(fail(errno)),
    };
    if file_type(&fd).map_err(fail)? != FileType::RegularFile {
        return Err(Failure::new(
            Kind::Invalid,
            format!("/{path} of the root is no regular file"),
        ));
    }
    let mut text = Vec::new();
    std::fs::File::from(fd)
        .take(MAX_FILE + 1)
        .read_to_end(&mut text)
        .map_err(|error| {
            Failure::new(
                Kind::Internal,
                format!("cannot read /{path} of the root: {error}"),
            )
        })?;
    if text.len() as u64 > MAX_FILE {
        return Err(Failure::new(
            Kind::Invalid,
            format!("/{path} of the root is larger than 4 MiB"),
        ));
    }
    Ok(find(&text, name))
}

fn find(text: &[u8], name: &str) -> Option<(u32, u32)> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        if fields.next()? != name.as_bytes() {
            return None;
        }
        let mut ids = fields.skip(1).map(|field| {
            let text = std::str::from_utf8(field)
                .ok()
                .filter(|text| !text.starts_with('+'))?;
            text.parse::<u32>()
                .ok()
                .filter(|id| *id < i32::MAX.unsigned_abs())
        });
        let first = ids.next()??;
        Some((first, ids.next().flatten().unwrap_or(first)))
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_well_formed_line_wins() {
        let text = b"app:x:notanumber:5::\napp:x:1001:1002::/home:/bin/sh\napp:x:0:0::\n";
        assert_eq!(find(text, "app"), Some((1001, 1002)));
        assert_eq!(find(text, "ap"), None);
        assert_eq!(find(b"big:x:4294967296:0\nbig:x:3000000000:0", "big"), None);
        assert_eq!(find(b"\nstaff:x:50:alice\n", "staff"), Some((50, 50)));
    }
}
