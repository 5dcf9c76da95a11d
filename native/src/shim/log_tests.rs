//! Tests of the log writer: what it writes must read back as what the container wrote.

use super::*;
use proptest::prelude::*;

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("pinnace-log-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("directory");
    path
}

fn log(path: &Path, max_size: Option<i64>, max_files: Option<u32>) -> Log {
    Log::open(Settings {
        path: path.to_owned(),
        max_size,
        max_files,
    })
    .expect("log")
}

fn lines(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).expect("log text");
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
            let field = |name: &str| value[name].as_str().expect("text").to_owned();
            assert!(field("time").ends_with('Z'));
            (field("stream"), field("log"))
        })
        .collect()
}

#[test]
fn escapes_as_go_does() {
    let mut out = Vec::new();
    escape(&mut out, "a\"\\<&>\u{1}\t\r\u{7f}é\u{2028}\u{1f600}".as_bytes());
    escape(&mut out, b"\xff\xe2\x82z");
    let text = String::from_utf8(out).expect("utf-8");
    assert_eq!(
        text,
        "a\\\"\\\\\\u003c\\u0026\\u003e\\u0001\\t\\r\u{7f}é\\u2028\u{1f600}\\ufffd\\ufffd\\ufffdz"
    );
}

#[test]
fn splits_long_lines_and_keeps_characters_whole() {
    let dir = directory("split");
    let path = dir.join("log");
    let mut log = log(&path, None, None);
    let long = format!("x{}", "é".repeat(10_000));
    log.write(1, long.as_bytes());
    log.write(2, b"other");
    log.write(1, b"\nend");
    log.finish();
    let read = lines(&path);
    let stdout: Vec<_> = read.iter().filter(|(stream, _)| stream == "stdout").collect();
    assert_eq!(stdout[0].1.len(), 16_383);
    let whole: String = stdout.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(whole, format!("{long}\nend"));
    assert!(read.contains(&("stderr".to_owned(), "other".to_owned())));
    std::fs::remove_dir_all(dir).expect("clean");
}

#[test]
fn rotates_by_size_and_keeps_so_many_files() {
    let dir = directory("rotate");
    let path = dir.join("log");
    let mut log = log(&path, Some(300), Some(3));
    for index in 0..40 {
        log.write(1, format!("line {index}\n").as_bytes());
    }
    let mut names: Vec<_> = std::fs::read_dir(&dir)
        .expect("list")
        .map(|entry| entry.expect("entry").file_name().into_string().expect("name"))
        .collect();
    names.sort();
    assert_eq!(names, ["log", "log.1", "log.2"]);
    let mut all = lines(&numbered(&path, 2));
    all.extend(lines(&numbered(&path, 1)));
    all.extend(lines(&path));
    assert_eq!(all.last().expect("a line").1, "line 39\n");
    let first = 40 - all.len();
    for (offset, (_, text)) in all.iter().enumerate() {
        assert_eq!(*text, format!("line {}\n", first + offset));
    }
    std::fs::remove_dir_all(dir).expect("clean");
}

#[test]
fn a_full_disk_loses_lines_but_nothing_else() {
    let mut log = log(Path::new("/dev/full"), None, None);
    log.write(1, b"one\ntwo\n");
    assert_eq!(log.lost(), 2);
}

proptest! {
    #[test]
    fn any_text_reads_back(text in "\\PC{0,200}", cut in 0usize..200) {
        let dir = directory("any");
        let path = dir.join("log");
        let mut log = log(&path, None, None);
        let bytes = text.as_bytes();
        let cut = cut.min(bytes.len());
        log.write(1, &bytes[..cut]);
        log.write(1, &bytes[cut..]);
        log.finish();
        let whole: String = lines(&path).iter().map(|(_, text)| text.as_str()).collect();
        prop_assert_eq!(whole, text);
        std::fs::remove_dir_all(dir).expect("clean");
    }
}
