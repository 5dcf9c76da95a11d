//! Folders, renaming and deleting. Where the kernel cannot move a folder that lies in a lower layer
//! (overlayfs answers EXDEV), it is copied as an archive and the old one taken away.

use super::{Request, failed, open_parent, shown};
use crate::error::{Failure, Kind};
use crate::layer::emit::{Emitter, Options};
use crate::layer::extract::Extractor;
use crate::layer::policy::Policy;
use crate::layer::stream::TarStream;
use crate::layer::tar::read::Reader;
use crate::layer::tree::attrs::{Identity, set_owner, set_time_at};
use crate::layer::tree::beneath::{NewDir, base, clean, ensure_dir, parent, resolve};
use crate::layer::tree::remove::remove_entry;
use crate::layer::tree::root::{Access, open_root};
use crate::layer::tree::walk::{kind_of, stat_entry, stat_fd};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, mkdirat, openat, renameat_with, unlinkat};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::fs::File;

pub fn mkdir(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Write)?;
    let path = clean(request.path.as_bytes());
    let fail = failed("cannot make the folder", &path);
    if request.parents {
        let new = NewDir {
            owner: None,
            mode: 0o755,
        };
        let made = ensure_dir(tree.fd(), &path, new)?;
        return Ok(json!({ "created": made.created }));
    }
    let dir = open_parent(tree.fd(), &path)?;
    mkdirat(&dir, base(&path), Mode::from_raw_mode(0o755)).map_err(&fail)?;
    let owner = stat_fd(&dir).map_err(&fail)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(&dir, base(&path), flags, Mode::empty()).map_err(&fail)?;
    set_owner(
        &Identity::of_process(),
        &made,
        None,
        (owner.stx_uid, owner.stx_gid),
    )?;
    Ok(json!({ "created": true }))
}

pub fn delete(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Write)?;
    let path = clean(request.path.as_bytes());
    let fail = failed("cannot delete", &path);
    let dir = open_parent(tree.fd(), &path)?;
    let stat = stat_entry(&dir, base(&path)).map_err(&fail)?;
    let time = stat_fd(&dir).map_err(&fail)?.stx_mtime;
    if kind_of(&stat) == FileType::Directory && !request.recursive {
        unlinkat(&dir, base(&path), AtFlags::REMOVEDIR).map_err(&fail)?;
    } else {
        remove_entry(&dir, base(&path)).map_err(&fail)?;
    }
    if request.keep_time {
        set_time_at(&dir, b".", (time.tv_sec, time.tv_nsec)).map_err(fail)?;
    }
    Ok(json!({ "deleted": true }))
}

pub fn rename(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Write)?;
    let Some(to) = &request.to else {
        return Err(Failure::new(Kind::Invalid, "rename needs the new path"));
    };
    let (from, to) = (clean(request.path.as_bytes()), clean(to.as_bytes()));
    let fail = failed("cannot rename", &from);
    let (old_dir, new_dir) = (open_parent(tree.fd(), &from)?, open_parent(tree.fd(), &to)?);
    let flags = if request.overwrite {
        RenameFlags::empty()
    } else {
        RenameFlags::NOREPLACE
    };
    let result = renameat_with(&old_dir, base(&from), &new_dir, base(&to), flags);
    match result {
        Ok(()) => {}
        Err(Errno::EXIST) => {
            let message = "cannot rename: there is something of that name already";
            return Err(Failure::new(Kind::Conflict, message).at(shown(&to)));
        }
        Err(Errno::XDEV) => {
            // The real places: a folder must not be copied into itself by way of a link.
            let real = |path: &[u8]| -> Result<Vec<u8>, Failure> {
                let mut real = resolve(tree.fd(), parent(path))?;
                crate::layer::tree::beneath::join_into(&mut real, base(path));
                Ok(real)
            };
            let (real_from, real_to) = (real(&from)?, real(&to)?);
            let mut below = real_from.clone();
            below.push(b'/');
            if real_to.starts_with(&below) {
                return Err(fail(Errno::INVAL));
            }
            if stat_entry(&new_dir, base(&to)).is_ok() {
                if !request.overwrite {
                    return Err(fail(Errno::EXIST));
                }
                remove_entry(&new_dir, base(&to)).map_err(&fail)?;
            }
            move_tree(tree.fd(), (&old_dir, base(&from)), &real_to).inspect_err(|_| {
                // Half a copy is worse than none; the first failure is the one to tell.
                let _gone = remove_entry(&new_dir, base(&to));
            })?;
            remove_entry(&old_dir, base(&from)).map_err(fail)?;
        }
        Err(errno) => return Err(fail(errno)),
    }
    Ok(json!({ "renamed": true }))
}

/// Copies a tree through a pipe: one thread writes the archive, this one unpacks it.
fn move_tree(root: BorrowedFd<'_>, from: (&OwnedFd, &[u8]), to: &[u8]) -> Result<(), Failure> {
    let fail = |errno| Failure::errno("cannot copy the folder", errno);
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(fail)?;
    let dir = rustix::io::fcntl_dupfd_cloexec(from.0, 3).map_err(fail)?;
    let (old, new) = (from.1.to_vec(), base(to).to_vec());
    let sender = std::thread::spawn(move || -> Result<(), Failure> {
        let out = std::io::BufWriter::with_capacity(256 * 1024, File::from(writer));
        let mut emitter = Emitter::new(out, Options::default());
        emitter.entry_as(&dir, &old, &new)?;
        emitter.finish().map(|_flushed_on_drop| ())
    });
    let policy = Policy::default();
    let mut tar = Reader::new(TarStream::start(File::from(reader), policy.limits.bytes, None));
    let mut extractor = Extractor::new(root, parent(to), policy);
    let unpacked = extractor
        .run(&mut tar)
        .and_then(|()| tar.into_inner().finish().map(|_| ()));
    let sent = sender
        .join()
        .map_err(|_| Failure::new(Kind::Internal, "the copying thread failed"))?;
    sent.and(unpacked)
}
