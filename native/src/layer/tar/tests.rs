//! Properties of the tar reader and writer: what is written is read back, by us and by another reader,
//! and no bytes make the reader panic.

use crate::layer::tar::read::Reader;
use crate::layer::tar::write::{finish, pad, write_head};
use crate::layer::tar::{Head, Kind};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(
        prop_oneof![8 => b'a'..=b'z', 1 => Just(b'.'), 1 => Just(b'/'), 1 => 0x80_u8..=0xff],
        1..300,
    )
    .prop_filter("a file", |name| !name.ends_with(b"/"))
}

fn head() -> impl Strategy<Value = (Head, Vec<u8>)> {
    let kind = prop_oneof![
        Just(Kind::File),
        Just(Kind::HardLink),
        Just(Kind::Symlink),
        Just(Kind::Char),
        Just(Kind::Block),
        Just(Kind::Dir),
        Just(Kind::Fifo),
    ];
    let xattrs = proptest::collection::vec((name(), proptest::collection::vec(any::<u8>(), 0..100)), 0..3);
    let times = (
        -(1_i64 << 40)..1_i64 << 40,
        prop_oneof![Just(0_u32), 0..1_000_000_000_u32],
    );
    let ids = (0..u32::MAX, 0..u32::MAX, 0..0o7_777_777_u32);
    let data = proptest::collection::vec(any::<u8>(), 0..2000);
    (kind, name(), name(), 0..0o10000_u32, ids, times, xattrs, data).prop_map(
        |(kind, path, link, mode, (uid, gid, device), mtime, xattrs, data)| {
            let data = if kind == Kind::File { data } else { Vec::new() };
            let linked = matches!(kind, Kind::HardLink | Kind::Symlink);
            let node = matches!(kind, Kind::Char | Kind::Block);
            let mut xattrs: Vec<_> = xattrs
                .into_iter()
                .filter(|(name, _)| !name.contains(&b'='))
                .collect();
            xattrs.sort();
            xattrs.dedup_by(|a, b| a.0 == b.0);
            let head = Head {
                path,
                link: if linked { link } else { Vec::new() },
                kind,
                mode,
                uid,
                gid,
                size: data.len() as u64,
                mtime,
                major: if node { device } else { 0 },
                minor: if node { device / 2 } else { 0 },
                xattrs,
                sparse: None,
            };
            (head, data)
        },
    )
}

fn archive(entries: &[(Head, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for (head, data) in entries {
        write_head(&mut out, head)?;
        out.extend_from_slice(data);
        pad(&mut out, head.size)?;
    }
    finish(&mut out)?;
    Ok(out)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(entries in proptest::collection::vec(head(), 0..6)) {
        let bytes = archive(&entries)?;
        prop_assert_eq!(bytes.len() % 512, 0);
        let mut reader = Reader::new(&bytes[..]);
        let mut found = Head::default();
        for (head, data) in &entries {
            prop_assert!(reader.next(&mut found).map_err(|failure| TestCaseError::fail(failure.to_string()))?);
            prop_assert_eq!(&found, head);
            let mut content = Vec::new();
            while reader.data(u64::MAX, &mut |chunk| {
                content.extend_from_slice(chunk);
                Ok(())
            }).map_err(|failure| TestCaseError::fail(failure.to_string()))? {}
            prop_assert_eq!(&content, data);
        }
        prop_assert!(!reader.next(&mut found).map_err(|failure| TestCaseError::fail(failure.to_string()))?);
        prop_assert!(reader.saw_end());
    }

    #[test]
    fn another_reader_agrees(mut entries in proptest::collection::vec(head(), 0..6)) {
        for (head, _) in &mut entries {
            // That reader splits records at newlines, wherever they stand.
            head.xattrs.retain(|(_, value)| !value.contains(&b'\n'));
        }
        let bytes = archive(&entries)?;
        let mut other = tar::Archive::new(&bytes[..]);
        for (entry, (head, _)) in other.entries()?.zip(&entries) {
            let mut entry = entry?;
            prop_assert_eq!(entry.path_bytes().into_owned(), head.path.clone());
            prop_assert_eq!(entry.header().mode()? & 0o7777, head.mode);
            prop_assert_eq!(entry.size(), head.size);
            let mut keys = Vec::new();
            if let Some(records) = entry.pax_extensions()? {
                for record in records {
                    keys.push(record?.key_bytes().to_vec());
                }
            }
            prop_assert!(keys.is_sorted());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        entries in proptest::collection::vec(head(), 1..4),
        cut in any::<prop::sample::Index>(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut bytes = archive(&entries)?;
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len()));
        let mut reader = Reader::new(&bytes[..]);
        let mut found = Head::default();
        for _ in 0..100 {
            if !reader.next(&mut found).unwrap_or(false) {
                break;
            }
        }
    }
}
