//! The running server on loopback sockets, before upstream servers that behave well and badly. What it
//! says is read by another implementation of the format.

use super::message;
use super::resolvers::Resolvers;
use super::table::{Table, encode};
use super::{DnsSockets, Neighbourhood, Server, Upstream};
use proptest::prelude::*;
use rustix::fd::OwnedFd;
use simple_dns::rdata::RData;
use simple_dns::{
    CLASS, Name, OPCODE, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, ResourceRecord, TYPE,
};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

struct Rig {
    server: Server,
    table: Arc<RwLock<Table>>,
    address: SocketAddr,
}

fn table(text: &str) -> Table {
    serde_json::from_str(text).expect("a table")
}

/// Sockets of the same namespace, which shows that they were asked for.
fn here() -> Neighbourhood {
    Box::new(|kind, address| {
        if kind == rustix::net::SocketType::STREAM || address.is_ipv6() {
            return Err(rustix::io::Errno::NETUNREACH);
        }
        let socket = UdpSocket::bind(LOCAL).expect("bind");
        socket.set_nonblocking(true).expect("non-blocking");
        Ok(OwnedFd::from(socket))
    })
}

fn rig(names: &str, upstreams: Vec<SocketAddr>) -> Rig {
    let (udp, tcp) = both(LOCAL);
    let address = udp.local_addr().expect("address");
    let sockets = DnsSockets {
        udp: vec![udp.into()],
        tcp: vec![tcp.into()],
    };
    let table = Arc::new(RwLock::new(table(names)));
    let server = Server::start_with(sockets, Arc::clone(&table), (Resolvers::fixed(upstreams), here()))
        .expect("a server");
    Rig {
        server,
        table,
        address,
    }
}

/// A datagram and a listening socket with the same port.
fn both(at: SocketAddr) -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind(at).expect("bind");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("address")) {
            return (udp, tcp);
        }
    }
    unreachable!("no free port");
}

fn question(id: u16, name: &str, kind: TYPE, size: Option<u16>) -> Vec<u8> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).expect("name");
    packet.questions.push(Question::new(
        name,
        QTYPE::TYPE(kind),
        QCLASS::CLASS(CLASS::IN),
        false,
    ));
    if let Some(size) = size {
        *packet.opt_mut() = Some(simple_dns::rdata::OPT {
            udp_packet_size: size,
            version: 0,
            opt_codes: Vec::new(),
        });
    }
    packet.build_bytes_vec().expect("bytes")
}

fn client() -> UdpSocket {
    let socket = UdpSocket::bind(LOCAL).expect("bind");
    socket
        .set_read_timeout(Some(Duration::from_secs(8)))
        .expect("timeout");
    socket
}

fn ask(at: SocketAddr, message: &[u8]) -> Vec<u8> {
    let socket = client();
    socket.send_to(message, at).expect("send");
    let mut buffer = [0; 65_535];
    let (length, _) = socket.recv_from(&mut buffer).expect("an answer");
    buffer[..length].to_vec()
}

/// As resolvers do: a datagram that found the server's queue full is lost, so the question is sent again.
fn ask_until_answered(at: SocketAddr, message: &[u8]) -> Vec<u8> {
    let socket = client();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .expect("timeout");
    let mut buffer = [0; 65_535];
    for _ in 0..40 {
        socket.send_to(message, at).expect("send");
        if let Ok((length, _)) = socket.recv_from(&mut buffer) {
            return buffer[..length].to_vec();
        }
    }
    unreachable!("no answer to 40 questions in 20 s")
}

fn ask_by_stream(at: SocketAddr, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut stream = TcpStream::connect(at).expect("connect");
    stream
        .set_read_timeout(Some(Duration::from_secs(8)))
        .expect("timeout");
    let all: Vec<u8> = messages
        .iter()
        .flat_map(|message| super::streams::framed(message))
        .collect();
    stream.write_all(&all).expect("write");
    stream.shutdown(Shutdown::Write).expect("shutdown");
    let mut text = Vec::new();
    stream.read_to_end(&mut text).expect("read");
    let mut answers = Vec::new();
    let mut rest = text.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (answer, next) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        answers.push(answer.to_vec());
        rest = next;
    }
    answers
}

fn addresses(answer: &[u8]) -> Vec<IpAddr> {
    let packet = Packet::parse(answer).expect("a packet");
    let found = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::A(a) => Some(IpAddr::V4(a.address.into())),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.address.into())),
        _ => None,
    });
    found.collect()
}

fn code(answer: &[u8]) -> RCODE {
    Packet::parse(answer).expect("a packet").rcode()
}

/// An upstream: `respond` makes the answer to a question that came by datagram (false) or stream (true).
fn upstream(respond: impl Fn(&[u8], bool) -> Option<Vec<u8>> + Send + Sync + 'static) -> SocketAddr {
    let (udp, tcp) = both(LOCAL);
    let address = udp.local_addr().expect("address");
    let respond = Arc::new(respond);
    let by_stream = Arc::clone(&respond);
    std::thread::spawn(move || {
        let mut buffer = [0; 65_535];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer) {
            if let Some(answer) = respond(&buffer[..length], false) {
                drop(udp.send_to(&answer, peer));
            }
        }
    });
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut length = [0; 2];
            if stream.read_exact(&mut length).is_err() {
                continue;
            }
            let mut text = vec![0; usize::from(u16::from_be_bytes(length))];
            if stream.read_exact(&mut text).is_ok()
                && let Some(answer) = by_stream(&text, true)
            {
                drop(stream.write_all(&super::streams::framed(&answer)));
            }
        }
    });
    address
}

/// An answer with so many addresses, cut with TC to what fits by datagram.
fn answered(text: &[u8], count: u32, by_stream: bool) -> Vec<u8> {
    let query = Packet::parse(text).expect("a question");
    let build = |count: u32| {
        let mut packet = Packet::new_reply(query.id());
        packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
        packet.questions.clone_from(&query.questions);
        for index in 0..count {
            let data = RData::A(simple_dns::rdata::A {
                address: 0x0a00_0001 + index,
            });
            let name = query.questions[0].qname.clone();
            packet
                .answers
                .push(ResourceRecord::new(name, CLASS::IN, 60, data));
        }
        packet
    };
    let whole = build(count).build_bytes_vec_compressed().expect("bytes");
    if by_stream || whole.len() <= 512 {
        return whole;
    }
    let mut cut = build(0);
    cut.set_flags(PacketFlag::TRUNCATION);
    cut.build_bytes_vec().expect("bytes")
}

const NAMES: &str = r#"{"names":{"web":["172.18.0.2","fd00::2"],"many":["10.0.0.1","10.0.0.2","10.0.0.3"]},
    "clients":{"127.0.0.1":{"mine":["10.1.0.1"]},"127.0.0.9":{"other":["10.1.0.2"]}},"forward":false}"#;

#[test]
fn names_of_the_table_are_answered_with_their_addresses() {
    let rig = rig(NAMES, Vec::new());
    let answer = ask(rig.address, &question(7, "WEB", TYPE::A, None));
    let packet = Packet::parse(&answer).expect("a packet");
    assert_eq!(packet.id(), 7);
    assert!(packet.has_flags(
        PacketFlag::RESPONSE | PacketFlag::RECURSION_AVAILABLE | PacketFlag::AUTHORITATIVE_ANSWER
    ));
    assert_eq!(packet.answers[0].ttl, 600);
    assert_eq!(
        addresses(&answer),
        ["172.18.0.2".parse::<IpAddr>().expect("address")]
    );
    let six = ask(rig.address, &question(8, "web", TYPE::AAAA, Some(1232)));
    assert_eq!(addresses(&six), ["fd00::2".parse::<IpAddr>().expect("address")]);
    assert!(Packet::parse(&six).expect("a packet").opt().is_some());
    assert_eq!(
        addresses(&ask(rig.address, &question(9, "mine", TYPE::A, None))).len(),
        1
    );
    drop(rig.server);
}

#[test]
fn a_known_name_without_that_family_is_empty_and_an_unknown_one_fails_where_nothing_is_forwarded() {
    let rig = rig(NAMES, Vec::new());
    for (name, kind, wanted) in [
        ("many", TYPE::AAAA, RCODE::NoError),
        ("web", TYPE::MX, RCODE::NoError),
        ("other", TYPE::A, RCODE::ServerFailure),
        ("example.org", TYPE::A, RCODE::ServerFailure),
    ] {
        let answer = ask(rig.address, &question(1, name, kind, None));
        assert_eq!(code(&answer), wanted, "{name}");
        assert!(addresses(&answer).is_empty(), "{name}");
    }
}

#[test]
fn several_addresses_come_in_changing_order() {
    let rig = rig(NAMES, Vec::new());
    let mut firsts = std::collections::HashSet::new();
    for id in 0..6 {
        let found = addresses(&ask(rig.address, &question(id, "many", TYPE::A, None)));
        assert_eq!(found.len(), 3);
        firsts.insert(found[0]);
    }
    assert_eq!(firsts.len(), 3);
}

#[test]
fn addresses_are_answered_with_names() {
    let rig = rig(NAMES, Vec::new());
    let answer = ask(
        rig.address,
        &question(1, "2.0.18.172.in-addr.arpa", TYPE::PTR, None),
    );
    let packet = Packet::parse(&answer).expect("a packet");
    let names: Vec<String> = packet
        .answers
        .iter()
        .filter_map(|record| match &record.rdata {
            RData::PTR(name) => Some(name.0.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["web"]);
}

#[test]
fn a_changed_table_counts_at_the_next_question() {
    let rig = rig(NAMES, Vec::new());
    *rig.table.write().expect("lock") = table(r#"{"names":{"new":["10.9.9.9"]}}"#);
    assert_eq!(
        addresses(&ask(rig.address, &question(1, "new", TYPE::A, None))).len(),
        1
    );
    assert_eq!(
        code(&ask(rig.address, &question(1, "web", TYPE::A, None))),
        RCODE::ServerFailure
    );
}

#[test]
fn many_addresses_are_cut_for_datagrams_and_whole_for_streams() {
    let list: Vec<String> = (0..200)
        .map(|index| format!("\"10.0.{}.{}\"", index / 200, index + 1))
        .collect();
    let rig = rig(
        &format!("{{\"names\":{{\"all\":[{}]}}}}", list.join(",")),
        Vec::new(),
    );
    for (size, least, most) in [(None, 29, 30), (Some(1232), 70, 75), (Some(4096), 200, 200)] {
        let answer = ask(rig.address, &question(1, "all", TYPE::A, size));
        let count = addresses(&answer).len();
        assert!((least..=most).contains(&count), "{count} for {size:?}");
        assert!(answer.len() <= usize::from(size.unwrap_or(512)));
        let cut = Packet::parse(&answer)
            .expect("a packet")
            .has_flags(PacketFlag::TRUNCATION);
        assert_eq!(cut, count < 200);
    }
    let answers = ask_by_stream(rig.address, &[question(2, "all", TYPE::A, None)]);
    assert_eq!(addresses(&answers[0]).len(), 200);
}

#[test]
fn pipelined_questions_of_a_stream_are_all_answered_though_it_was_half_closed() {
    let slow = upstream(|text, by_stream| {
        std::thread::sleep(Duration::from_millis(20));
        Some(answered(text, 1, by_stream))
    });
    let rig = rig(&NAMES.replace("false", "true"), vec![slow]);
    let questions: Vec<Vec<u8>> = (0..40)
        .map(|id| match id % 2 {
            0 => question(id, "web", TYPE::A, None),
            _ => question(id, &format!("x{id}.example"), TYPE::A, None),
        })
        .collect();
    let answers = ask_by_stream(rig.address, &questions);
    let mut ids: Vec<u16> = answers
        .iter()
        .map(|answer| Packet::parse(answer).expect("a packet").id())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..40).collect::<Vec<u16>>());
}

#[test]
fn a_truncated_answer_is_fetched_whole_by_tcp_for_those_who_can_take_it() {
    let server = upstream(|text, by_stream| Some(answered(text, 60, by_stream)));
    let rig = rig(r#"{"forward":true}"#, vec![server]);
    let plain = ask(rig.address, &question(1, "big.example", TYPE::A, None));
    assert!(
        Packet::parse(&plain)
            .expect("a packet")
            .has_flags(PacketFlag::TRUNCATION)
    );
    let roomy = ask(rig.address, &question(2, "big.example", TYPE::A, Some(4096)));
    assert_eq!(addresses(&roomy).len(), 60);
    let tight = ask(rig.address, &question(3, "big.example", TYPE::A, Some(600)));
    assert!(
        Packet::parse(&tight)
            .expect("a packet")
            .has_flags(PacketFlag::TRUNCATION)
    );
    assert!(tight.len() <= 600);
    let whole = ask_by_stream(rig.address, &[question(4, "big.example", TYPE::A, None)]);
    assert_eq!(addresses(&whole[0]).len(), 60);
}

#[test]
fn equal_questions_share_one_flight() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = upstream(move |text, by_stream| {
        count.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300));
        Some(answered(text, 1, by_stream))
    });
    let rig = rig(r#"{"forward":true}"#, vec![server]);
    let clients: Vec<UdpSocket> = (0..20).map(|_| client()).collect();
    for (id, socket) in (1000..).zip(&clients) {
        let text = question(id, "shared.example", TYPE::A, None);
        for _ in 0..2 {
            socket.send_to(&text, rig.address).expect("send");
        }
    }
    for (id, socket) in (1000..).zip(&clients) {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).expect("an answer");
        assert_eq!(Packet::parse(&buffer[..length]).expect("a packet").id(), id);
        socket
            .set_read_timeout(Some(Duration::from_millis(1)))
            .expect("timeout");
        assert!(
            socket.recv(&mut buffer).is_err(),
            "a retransmission was answered twice"
        );
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_server_that_is_silent_refuses_or_fails_gives_way_to_the_next() {
    let silent = UdpSocket::bind(LOCAL).expect("bind");
    let refused = {
        let socket = UdpSocket::bind(LOCAL).expect("bind");
        socket.local_addr().expect("address")
    };
    let failing = upstream(|text, _| {
        let mut answer = answered(text, 0, true);
        answer[3] |= 2;
        Some(answer)
    });
    let good = upstream(|text, by_stream| Some(answered(text, 1, by_stream)));
    let quick = rig(r#"{"forward":true}"#, vec![refused, failing, good]);
    let start = Instant::now();
    assert_eq!(
        addresses(&ask(quick.address, &question(1, "a.example", TYPE::A, None))).len(),
        1
    );
    assert!(start.elapsed() < Duration::from_secs(1));
    let slow = rig(
        r#"{"forward":true}"#,
        vec![silent.local_addr().expect("address"), good],
    );
    let start = Instant::now();
    assert_eq!(
        addresses(&ask(slow.address, &question(1, "a.example", TYPE::A, None))).len(),
        1
    );
    assert!((1900..3000).contains(&start.elapsed().as_millis()));
    // The silent one is now asked last.
    let start = Instant::now();
    assert_eq!(
        addresses(&ask(slow.address, &question(1, "b.example", TYPE::A, None))).len(),
        1
    );
    assert!(start.elapsed() < Duration::from_secs(1));
    let bad = rig(r#"{"forward":true}"#, vec![failing, refused]);
    let start = Instant::now();
    assert_eq!(
        code(&ask(bad.address, &question(1, "c.example", TYPE::A, None))),
        RCODE::ServerFailure
    );
    assert!(start.elapsed() < Duration::from_secs(1));
    let mute = rig(r#"{"forward":true}"#, vec![silent.local_addr().expect("address")]);
    let start = Instant::now();
    assert_eq!(
        code(&ask(mute.address, &question(1, "d.example", TYPE::A, None))),
        RCODE::ServerFailure
    );
    assert!((4500..5000).contains(&start.elapsed().as_millis()));
}

#[test]
fn answers_to_other_questions_are_not_believed() {
    let server = upstream(|text, by_stream| {
        let mut forged = answered(text, 1, by_stream);
        match forged[13] {
            b'i' => forged[0] ^= 0x55,
            b'q' => forged[14] ^= 0x01,
            _ => {}
        }
        Some(forged)
    });
    let rig = rig(r#"{"forward":true}"#, vec![server]);
    assert_eq!(
        code(&ask(rig.address, &question(1, "good.example", TYPE::A, None))),
        RCODE::NoError
    );
    let both: Vec<_> = ["id.example", "qq.example"]
        .map(|name| {
            let (at, text) = (rig.address, question(1, name, TYPE::A, None));
            std::thread::spawn(move || code(&ask(at, &text)))
        })
        .into_iter()
        .map(|thread| thread.join().expect("an answer"))
        .collect();
    assert_eq!(both, [RCODE::ServerFailure, RCODE::ServerFailure]);
}

#[test]
fn a_thousand_questions_at_once_are_answered_and_more_push_out_the_oldest() {
    let silent = UdpSocket::bind(LOCAL).expect("bind");
    let rig = rig(
        r#"{"names":{"web":["10.0.0.1"]},"forward":true}"#,
        vec![silent.local_addr().expect("address")],
    );
    let socket = client();
    for id in 0..3000 {
        socket
            .send_to(
                &question(id, &format!("n{id}.example"), TYPE::A, None),
                rig.address,
            )
            .expect("send");
        if id % 100 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    assert_eq!(
        addresses(&ask_until_answered(
            rig.address,
            &question(1, "web", TYPE::A, None)
        ))
        .len(),
        1
    );
    let open = std::fs::read_dir("/proc/self/fd").expect("fds").count();
    assert!(open < 1024 + 400, "{open} descriptors");
}

#[test]
fn hostile_messages_are_refused_or_ignored() {
    let rig = rig(NAMES, Vec::new());
    let good = question(5, "web", TYPE::A, None);
    let with = |at: usize, bytes: &[u8]| {
        let mut text = good.clone();
        text[at..at + bytes.len()].copy_from_slice(bytes);
        text
    };
    let refused = [
        with(12, &[0xc0, 0x0c]),
        with(12, &[0x40]),
        with(4, &[0xff, 0xff]),
        with(4, &[0, 0]),
        with(6, &[0, 1]),
        with(10, &[0xff, 0xff]),
        [good.as_slice(), &[0; 9]].concat(),
        [good.as_slice(), &[0; 5000]].concat(),
        good[..good.len() - 1].to_vec(),
        good[..12].to_vec(),
    ];
    for text in refused {
        let answer = ask(rig.address, &text);
        assert_eq!(
            (answer.len(), code(&answer)),
            (12, RCODE::FormatError),
            "{text:?}"
        );
    }
    assert_eq!(code(&ask(rig.address, &with(2, &[0x28]))), RCODE::NotImplemented);
    assert_eq!(
        Packet::parse(&ask(rig.address, &with(2, &[0x28])))
            .expect("a packet")
            .opcode(),
        OPCODE::Update
    );
    let socket = client();
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("timeout");
    for text in [&b""[..], &good[..11], &with(2, &[0x81])] {
        socket.send_to(text, rig.address).expect("send");
        assert!(socket.recv(&mut [0; 512]).is_err(), "{text:?}");
    }
    for bytes in [&[0, 0][..], &[0xff, 0xff, 1], &[0, 3, 1, 2, 3]] {
        let mut stream = TcpStream::connect(rig.address).expect("connect");
        stream.write_all(bytes).expect("write");
        stream.shutdown(Shutdown::Write).expect("shutdown");
        assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
    }
    assert_eq!(addresses(&ask(rig.address, &good)).len(), 1);
}

#[test]
fn more_streams_than_allowed_push_out_the_oldest_and_a_stop_closes_all() {
    let rig = rig(NAMES, Vec::new());
    let streams: Vec<TcpStream> = (0..300)
        .map(|_| TcpStream::connect(rig.address).expect("connect"))
        .collect();
    let answers = ask_by_stream(rig.address, &[question(1, "web", TYPE::A, None)]);
    assert_eq!(answers.len(), 1);
    let start = Instant::now();
    drop(rig.server);
    assert!(start.elapsed() < Duration::from_secs(1));
    for mut stream in streams {
        assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)));
    }
    assert!(UdpSocket::bind(rig.address).is_ok());
}

proptest! {
    #[test]
    fn no_message_makes_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(question) = message::read(&bytes) {
            prop_assert!(question.name.len() <= message::NAME_LIMIT);
            prop_assert!(Packet::parse(&question.answer(&[], 512)).is_ok());
        }
        prop_assert!(!message::is_answer(&bytes, 1, &[]) || bytes.len() >= 6);
    }

    #[test]
    fn damaged_questions_are_read_or_refused_but_answered_in_form(
        at in 0usize..60, byte in any::<u8>(), cut in 0usize..60
    ) {
        let mut text = question(3, "some-name.example.org", TYPE::A, Some(1232));
        let length = text.len();
        text[at % length] = byte;
        text.truncate(length.saturating_sub(cut));
        match message::read(&text) {
            Ok(question) => prop_assert!(question.section.len() >= 5),
            Err(message::Refusal::Code(code)) => {
                prop_assert_eq!(message::refuse(&text, code).len(), 12);
            }
            Err(message::Refusal::Silence) => {}
        }
    }

    #[test]
    fn every_name_of_the_table_is_found_as_it_is_asked(name in "[a-zA-Z0-9_-]{1,20}(\\.[a-z0-9-]{1,10}){0,3}") {
        prop_assume!(!name.to_ascii_lowercase().ends_with("localhost"));
        let table = table(&format!("{{\"names\":{{\"{name}\":[\"10.0.0.1\"]}}}}"));
        let text = question(1, &name, TYPE::A, None);
        if let Ok(question) = message::read(&text) {
            prop_assert!(encode(&name).is_some());
            prop_assert!(table.find(LOCAL.ip(), question.name) != super::table::Found::Unknown);
        }
    }
}

#[test]
fn a_client_with_resolvers_of_its_own_is_never_answered_by_the_hosts() {
    let host = upstream(|text, by_stream| Some(answered(text, 1, by_stream)));
    let own = upstream(|text, by_stream| Some(answered(text, 2, by_stream)));
    let names = r#"{"names":{"web":["172.18.0.2"]},"resolvers":{"127.0.0.1":["192.0.2.53","192.0.2.54"]},"forward":true}"#;
    let rig = rig(names, vec![host]);
    let asked = |id| ask(rig.address, &question(id, "x.example", TYPE::A, None));
    assert_eq!(code(&asked(1)), RCODE::ServerFailure, "not judged yet");
    for way in [Upstream::Outside(own), Upstream::Inside(own)] {
        let first: IpAddr = "192.0.2.53".parse().expect("address");
        let judge = |_, server| (server == first).then_some(way);
        rig.table.write().expect("lock").judge(judge);
        assert_eq!(addresses(&asked(2)).len(), 2, "{way:?}");
    }
    rig.table.write().expect("lock").judge(|_, _| None);
    assert_eq!(code(&asked(3)), RCODE::ServerFailure, "none may be asked");
    assert_eq!(
        addresses(&ask(rig.address, &question(4, "web", TYPE::A, None))).len(),
        1
    );
    *rig.table.write().expect("lock") = table(r#"{"resolvers":{"127.0.0.9":["192.0.2.53"]},"forward":true}"#);
    assert_eq!(
        addresses(&asked(5)).len(),
        1,
        "another client's are not this one's"
    );
}
