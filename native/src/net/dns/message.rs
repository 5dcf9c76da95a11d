//! The wire format of DNS (RFC 1035, 4; RFC 6891 for EDNS): reads questions, checks answers, writes our
//! own answers. It follows no compression pointer and allocates nothing while it reads, so a hostile
//! message costs its length at most.

use std::net::IpAddr;

/// Longest name in wire form (RFC 1035, 2.3.4).
pub const NAME_LIMIT: usize = 255;
/// Longest question that is read; nothing that a resolver library sends comes near.
pub const QUESTION_LIMIT: usize = 4096;
/// What a client that says nothing about it takes by UDP.
pub const PLAIN_LIMIT: usize = 512;

pub const FORMAT_ERROR: u8 = 1;
pub const SERVER_FAILURE: u8 = 2;
pub const NOT_IMPLEMENTED: u8 = 4;
pub const REFUSED: u8 = 5;

pub const A: u16 = 1;
pub const PTR: u16 = 12;
pub const AAAA: u16 = 28;
pub const ANY: u16 = 255;
const OPT: u16 = 41;
const IN: u16 = 1;

const HEADER: usize = 12;
const QR: u16 = 0x8000;
const AA: u16 = 0x0400;
const TC: u16 = 0x0200;
const RD: u16 = 0x0100;
const RA: u16 = 0x0080;
const OPCODE: u16 = 0x7800;
/// Seconds that a client may keep one of our answers: Docker's.
const TTL: u32 = 600;
/// What we say about ourselves in EDNS: fits every path.
const OUR_SIZE: u16 = 1232;

/// One question, as it came.
#[derive(Debug)]
pub struct Question<'a> {
    pub id: u16,
    flags: u16,
    /// Name, type and class in wire form.
    pub section: &'a [u8],
    pub name: &'a [u8],
    pub kind: u16,
    pub class: u16,
    edns: Option<Edns>,
}

#[derive(Debug, Clone, Copy)]
struct Edns {
    size: u16,
    version: u8,
}

/// Why a message is no question for us.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not even worth an answer: too short, or an answer itself (never answered: two servers would talk
    /// to each other for ever).
    Silence,
    Code(u8),
}

/// One record of an answer about the question's name.
pub enum Record<'a> {
    Address(IpAddr),
    Name(&'a [u8]),
}

impl Question<'_> {
    /// Bytes that the client takes by UDP.
    pub fn limit(&self) -> usize {
        self.edns.map_or(PLAIN_LIMIT, |edns| {
            usize::from(edns.size).clamp(PLAIN_LIMIT, QUESTION_LIMIT)
        })
    }

    pub fn is_internet(&self) -> bool {
        self.class == IN || self.class == ANY
    }

    /// EDNS of a version that nobody has defined is answered BADVERS (RFC 6891, 6.1.3).
    pub fn is_of_unknown_version(&self) -> bool {
        self.edns.is_some_and(|edns| edns.version != 0)
    }

    /// Our own answer, of at most `limit` bytes; what does not fit is left out and the answer says so.
    pub fn answer(&self, records: &[Record<'_>], limit: usize) -> Vec<u8> {
        let mut out = self.begin(AA);
        let room = limit.saturating_sub(if self.edns.is_some() { 11 } else { 0 });
        let mut count: u16 = 0;
        for record in records {
            let length = out.len();
            push_record(&mut out, record);
            if out.len() > room {
                out.truncate(length);
                out[2] |= TC.to_be_bytes()[0];
                break;
            }
            count = count.saturating_add(1);
        }
        out[6..8].copy_from_slice(&count.to_be_bytes());
        self.finish(out, 0)
    }

    /// An answer without records.
    pub fn failure(&self, code: u8) -> Vec<u8> {
        let mut out = self.begin(0);
        out[3] |= code & 0x0f;
        self.finish(out, 0)
    }

    /// BADVERS: its code lies partly in the OPT record.
    pub fn bad_version(&self) -> Vec<u8> {
        self.finish(self.begin(0), 1)
    }

    /// The answer that says "ask again by TCP".
    pub fn truncated(&self) -> Vec<u8> {
        self.finish(self.begin(TC), 0)
    }

    fn begin(&self, extra: u16) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        let flags = QR | RA | (self.flags & RD) | extra;
        for word in [self.id, flags, 1, 0, 0, 0] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        out.extend_from_slice(self.section);
        out
    }

    fn finish(&self, mut out: Vec<u8>, extended_code: u8) -> Vec<u8> {
        if self.edns.is_some() {
            out.push(0);
            out.extend_from_slice(&OPT.to_be_bytes());
            out.extend_from_slice(&OUR_SIZE.to_be_bytes());
            out.extend_from_slice(&[extended_code, 0, 0, 0, 0, 0]);
            out[11] = 1;
        }
        out
    }
}

/// Reads a client's message.
pub fn read(message: &[u8]) -> Result<Question<'_>, Refusal> {
    let flags = word(message, 2).ok_or(Refusal::Silence)?;
    if message.len() < HEADER || flags & QR != 0 {
        return Err(Refusal::Silence);
    }
    if flags & OPCODE != 0 {
        return Err(Refusal::Code(NOT_IMPLEMENTED));
    }
    if message.len() > QUESTION_LIMIT {
        return Err(Refusal::Code(FORMAT_ERROR));
    }
    read_body(message, flags).ok_or(Refusal::Code(FORMAT_ERROR))
}

/// The answer to what could not be read as a question.
pub fn refuse(message: &[u8], code: u8) -> Vec<u8> {
    let [high, low, flags, ..] = *message else {
        return Vec::new();
    };
    let mut out = vec![high, low, 0x80 | (flags & 0x79), code & 0x0f];
    out.resize(HEADER, 0);
    out
}

/// Whether a message answers our question with this id; if not it is somebody else's or a forgery.
pub fn is_answer(answer: &[u8], id: u16, section: &[u8]) -> bool {
    let [Some(their_id), Some(flags), Some(count)] = [0, 2, 4].map(|at| word(answer, at)) else {
        return false;
    };
    if their_id != id || flags & QR == 0 || flags & OPCODE != 0 {
        return false;
    }
    // A server that could not read the question need not repeat it.
    if count == 0 && code_of(answer) == Some(FORMAT_ERROR) {
        return true;
    }
    let theirs = answer
        .get(HEADER..HEADER + section.len())
        .and_then(|it| it.split_last_chunk::<4>());
    let (Some((their_name, their_type)), Some((name, kind))) = (theirs, section.split_last_chunk::<4>())
    else {
        return false;
    };
    count == 1 && their_name.eq_ignore_ascii_case(name) && their_type == kind
}

/// Whether another server may know better than this answer.
pub fn is_failure(answer: &[u8]) -> bool {
    let codes = [FORMAT_ERROR, SERVER_FAILURE, NOT_IMPLEMENTED, REFUSED];
    code_of(answer).is_none_or(|code| codes.contains(&code))
}

fn code_of(answer: &[u8]) -> Option<u8> {
    answer.get(3).map(|flags| flags & 0x0f)
}

/// Whether an answer repeats its question, so that it can be handed on.
pub fn holds_question(answer: &[u8]) -> bool {
    word(answer, 4) == Some(1)
}

pub fn is_truncated(answer: &[u8]) -> bool {
    word(answer, 2).is_some_and(|flags| flags & TC != 0)
}

fn read_body(message: &[u8], flags: u16) -> Option<Question<'_>> {
    if word(message, 4)? != 1 {
        return None;
    }
    let name_end = plain_name_end(message, HEADER)?;
    let end = name_end + 4;
    let section = message.get(HEADER..end)?;
    let mut edns = None;
    let mut at = end;
    let plain = u32::from(word(message, 6)?) + u32::from(word(message, 8)?);
    for index in 0..plain + u32::from(word(message, 10)?) {
        let fixed = name_end_of_any(message, at)?;
        let length = usize::from(word(message, fixed + 8)?);
        if index >= plain && word(message, fixed)? == OPT {
            if edns.is_some() || message.get(at) != Some(&0) {
                return None;
            }
            edns = Some(Edns {
                size: word(message, fixed + 2)?,
                version: *message.get(fixed + 5)?,
            });
        }
        at = fixed + 10 + length;
        if at > message.len() {
            return None;
        }
    }
    (at == message.len()).then_some(())?;
    Some(Question {
        id: word(message, 0)?,
        flags,
        section,
        name: message.get(HEADER..name_end)?,
        kind: word(message, name_end)?,
        class: word(message, name_end + 2)?,
        edns,
    })
}

/// Where an uncompressed name that starts at `at` ends.
fn plain_name_end(message: &[u8], at: usize) -> Option<usize> {
    let mut next = at;
    loop {
        let length = usize::from(*message.get(next)?);
        if length > 63 {
            return None;
        }
        next += 1 + length;
        if next - at > NAME_LIMIT || next > message.len() {
            return None;
        }
        if length == 0 {
            return Some(next);
        }
    }
}

/// Where a name ends that may end in a pointer, which is not followed.
fn name_end_of_any(message: &[u8], at: usize) -> Option<usize> {
    let mut next = at;
    loop {
        let length = usize::from(*message.get(next)?);
        match length {
            0 => return Some(next + 1),
            1..=63 => next += 1 + length,
            0xc0.. => return Some(next + 2),
            _ => return None,
        }
        if next - at > NAME_LIMIT {
            return None;
        }
    }
}

fn push_record(out: &mut Vec<u8>, record: &Record<'_>) {
    let kind = match record {
        Record::Address(IpAddr::V4(_)) => A,
        Record::Address(IpAddr::V6(_)) => AAAA,
        Record::Name(_) => PTR,
    };
    // The name: a pointer to the question's.
    out.extend_from_slice(&[0xc0, 0x0c]);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&IN.to_be_bytes());
    out.extend_from_slice(&TTL.to_be_bytes());
    match record {
        Record::Address(IpAddr::V4(address)) => push_data(out, &address.octets()),
        Record::Address(IpAddr::V6(address)) => push_data(out, &address.octets()),
        Record::Name(name) => push_data(out, name),
    }
}

fn push_data(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(&u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(data);
}

fn word(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}
