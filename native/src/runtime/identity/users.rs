//! `user[:group]` resolved in a container's /etc/passwd and /etc/group as Docker does: a number is
//! always an id, the first matching line wins, and a line that is not well formed names nobody.
//! The files come from the image: they are bounded and never trusted.

use crate::error::{Failure, Kind};
use crate::runtime::files::read_file;
use crate::runtime::root::beneath::{Tree, kind_of};
use rustix::fs::{FileType, OFlags, ResolveFlags};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Larger account files are refused.
const MAX_BYTES: u64 = 16 << 20;
const MAX_GROUPS: usize = 1024;

/// Who a process runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub home: Option<String>,
}

/// Resolves `user[:group]` beneath the root.
pub fn named(tree: &Tree, user: &str) -> Result<Identity, Failure> {
    let passwd = read(tree, "/etc/passwd")?;
    let group = read(tree, "/etc/group")?;
    resolve(user, &passwd, &group)
}

/// The home directory of a uid; None when the container does not name one.
pub fn home_of(tree: &Tree, uid: u32) -> Option<String> {
    let passwd = read(tree, "/etc/passwd").ok()?;
    accounts(&passwd)
        .find(|account| account.uid == uid)
        .map(|account| account.home.to_owned())
}

/// The file's text; empty when there is none. Never blocks: only a regular file is read.
fn read(tree: &Tree, path: &str) -> Result<String, Failure> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let Ok(fd): Result<OwnedFd, _> = tree.open(Path::new(path), flags, ResolveFlags::empty()) else {
        return Ok(String::new());
    };
    if kind_of(&fd)? != FileType::RegularFile {
        return Ok(String::new());
    }
    let bytes = read_file(File::from(fd), MAX_BYTES).map_err(|failure| failure.at(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

fn accounts(passwd: &str) -> impl Iterator<Item = Account<'_>> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = id(fields.nth(1)?)?;
        let gid = id(fields.next()?)?;
        Some(Account {
            name,
            uid,
            gid,
            home: fields.nth(1).unwrap_or_default(),
        })
    })
}

/// Name, gid, members.
fn groups(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        Some((name, id(fields.nth(1)?)?, fields.next().unwrap_or_default()))
    })
}

/// Ids go up to 2³¹-1, as Docker has it; -1 and what overflows are no ids.
fn id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u32>()
        .ok()
        .filter(|value| digits && *value <= 0x7fff_ffff)
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text
            .trim_start_matches('-')
            .bytes()
            .all(|byte| byte.is_ascii_digit())
}

fn resolve(wanted: &str, passwd: &str, group: &str) -> Result<Identity, Failure> {
    let (user, group_name) = wanted
        .split_once(':')
        .map_or((wanted, ""), |(user, group)| (user, group));
    let mut found = Identity::default();
    let mut name = None;
    let number = is_number(user)
        .then(|| id(user).ok_or_else(|| out_of_range(user)))
        .transpose()?;
    let matching = |account: &Account<'_>| match number {
        Some(uid) => account.uid == uid,
        None if user.is_empty() => account.uid == 0,
        None => account.name == user,
    };
    if let Some(account) = accounts(passwd).find(matching) {
        (found.uid, found.gid) = (account.uid, account.gid);
        found.home = Some(account.home.to_owned()).filter(|home| !home.is_empty());
        name = Some(account.name);
    } else if let Some(uid) = number {
        found.uid = uid;
    } else if !user.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            format!("unable to find user {user}: no matching entries in passwd file"),
        ));
    }
    if group_name.is_empty() {
        let member = |members: &str| name.is_some_and(|name| members.split(',').any(|member| member == name));
        found.groups = groups(group)
            .filter(|(_, _, members)| member(members))
            .map(|(_, gid, _)| gid)
            .collect();
        found.groups.truncate(MAX_GROUPS);
    } else {
        found.gid = group_id(group_name, group)?;
    }
    Ok(found)
}

fn group_id(wanted: &str, group: &str) -> Result<u32, Failure> {
    if is_number(wanted) {
        return id(wanted).ok_or_else(|| out_of_range(wanted));
    }
    let found = groups(group)
        .find(|(name, _, _)| *name == wanted)
        .map(|(_, gid, _)| gid);
    found.ok_or_else(|| {
        Failure::new(
            Kind::Invalid,
            format!("unable to find group {wanted}: no matching entries in group file"),
        )
    })
}

fn out_of_range(id: &str) -> Failure {
    Failure::new(
        Kind::Invalid,
        format!("uids and gids must be in range 0-2147483647, not {id}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbad:x:zero:0::/:\n7:x:1007:1007::/seven:\nnode:x:1000:1000:,,,:/home/node:/bin/bash\nnode:x:0:0::/:\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,node\nbad:x::node\naudio:x:29:node\n";

    fn ok(user: &str) -> Option<(u32, u32, Vec<u32>, Option<String>)> {
        resolve(user, PASSWD, GROUP)
            .ok()
            .map(|found| (found.uid, found.gid, found.groups, found.home))
    }

    #[test]
    fn a_name_gets_its_first_line_and_its_groups() {
        assert_eq!(
            ok("node"),
            Some((1000, 1000, vec![10, 29], Some("/home/node".to_owned())))
        );
    }

    #[test]
    fn a_number_is_an_id_even_when_a_user_is_called_so() {
        assert_eq!(ok("7"), Some((7, 0, vec![], None)));
        assert_eq!(
            ok("1000:audio"),
            Some((1000, 29, vec![], Some("/home/node".to_owned())))
        );
    }

    #[test]
    fn bad_lines_name_nobody_and_unknown_names_are_errors() {
        assert_eq!(ok("bad"), None);
        assert_eq!(ok("nobody"), None);
        assert_eq!(ok("node:nogroup"), None);
        assert_eq!(ok("-1"), None);
        assert_eq!(ok("4294967296"), None);
        assert_eq!(ok(":wheel"), Some((0, 10, vec![], Some("/root".to_owned()))));
    }

    proptest! {
        #[test]
        fn hostile_files_never_panic_nor_make_an_unnamed_user_root(passwd in "[a-z:0-9\\n,]{0,200}", user in "[a-y]{1,4}z") {
            if let Ok(found) = resolve(&user, &passwd, &passwd) {
                prop_assert!(passwd.contains(&user));
                prop_assert!(found.uid <= 0x7fff_ffff);
            }
        }
    }
}
