//! The relay between real sockets: order, half-close, resets, back-pressure within bounds.

use super::*;
use std::io::{Read, Write};
use std::net::{Shutdown as Half, TcpListener, TcpStream};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let client = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    let (server, _) = listener.accept().expect("accept");
    (client, server)
}

const ALL: Ready = Ready {
    readable: true,
    writable: true,
    hung: false,
    failed: false,
};

/// A relay between two connections: its outer ends for the test.
fn joined() -> (TcpStream, TcpStream, Relay) {
    let (left, inner) = pair();
    let (right, outer) = pair();
    for stream in [&inner, &outer] {
        stream.set_nonblocking(true).expect("non-blocking");
    }
    let relay = Relay::new(Stream::new(inner.into()), Stream::new(outer.into()));
    (left, right, relay)
}

fn pump(relay: &mut Relay, pool: &mut Pool) -> Turn {
    relay.tell_inner(ALL);
    relay.tell_outer(ALL);
    relay.turn(pool)
}

#[test]
fn a_great_stream_arrives_whole_and_in_order_and_its_end_too() {
    let (mut left, mut right, mut relay) = joined();
    let data: Vec<u8> = (0..6_000_000u32)
        .map(|at| at.to_le_bytes()[at as usize % 4])
        .collect();
    let sent = data.clone();
    let writer = std::thread::spawn(move || {
        left.write_all(&sent).expect("write");
        left.shutdown(Half::Write).expect("shutdown");
        let mut answer = String::new();
        left.read_to_string(&mut answer).expect("read");
        answer
    });
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        right.read_to_end(&mut got).expect("read");
        right.write_all(b"after the end").expect("write");
        got
    });
    let mut pool = Pool::new();
    loop {
        match pump(&mut relay, &mut pool) {
            Turn::Done => break,
            Turn::Broken => unreachable!("broken"),
            Turn::Waits | Turn::Again => std::thread::yield_now(),
        }
    }
    pool.forget(relay);
    assert_eq!((pool.held, pool.working), (0, 0));
    assert_eq!(reader.join().expect("reader"), data);
    assert_eq!(writer.join().expect("writer"), "after the end");
}

#[test]
fn a_reset_breaks_the_relay_and_resets_the_other_end() {
    let (left, mut right, mut relay) = joined();
    let mut pool = Pool::new();
    assert_eq!(pump(&mut relay, &mut pool), Turn::Waits);
    reset_on_close(&left);
    drop(left);
    assert_eq!(pump(&mut relay, &mut pool), Turn::Broken);
    relay.reset();
    pool.forget(relay);
    let error = right.read(&mut [0; 1]).expect_err("reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn slow_readers_hold_a_bounded_rest() {
    let mut pool = Pool::new();
    let mut relays = Vec::new();
    for _ in 0..100 {
        let (left, right, relay) = joined();
        left.set_nonblocking(true).expect("non-blocking");
        relays.push((left, right, relay));
    }
    let block = vec![7u8; 1 << 20];
    for _ in 0..6 {
        for (left, _, relay) in &mut relays {
            while left.write(&block).is_ok() {}
            while pump(relay, &mut pool) == Turn::Again {}
        }
    }
    assert!(pool.held < 3 * PLENTY, "{} bytes are held", pool.held);
    assert!(pool.working <= PIPES);
    for (_, _, relay) in relays {
        pool.forget(relay);
    }
    assert_eq!((pool.held, pool.working), (0, 0));
}
