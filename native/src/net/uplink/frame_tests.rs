//! Frames of containers: well-formed ones are read back whole, all others are dropped without a fault.

use super::*;
use proptest::prelude::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A first segment in an Ethernet frame, its checksum only begun.
fn syn(client: &str, server: &str, data: &[u8]) -> Vec<u8> {
    let mut segment = vec![
        0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 41, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0x12, 0x34, 0, 0,
    ];
    segment.extend_from_slice(data);
    let packet = wrap(address(client), address(server), TCP, &segment).expect("a packet");
    let mut frame = vec![0u8; ETHERNET];
    frame.extend_from_slice(&packet);
    frame
}

fn whole(packet: &[u8]) -> bool {
    let (source, target, protocol, _, payload) = network_layer(packet).expect("a packet");
    if protocol == ICMP {
        return sum(&[payload]) == 0;
    }
    transport_sum(source, target, protocol, payload) == 0
}

#[test]
fn a_first_segment_is_read_put_back_and_refused() {
    for (client, server) in [("10.1.0.2", "192.0.2.9"), ("fd00::2", "2001:db8::9")] {
        for data in [&b""[..], b"odd"] {
            let frame = syn(client, server, data);
            let flow = Flow {
                client: SocketAddr::new(address(client), 40_000),
                server: SocketAddr::new(address(server), 443),
            };
            assert_eq!(parse(&frame), Some(Sighting::Syn(flow)));
            let back = readdress(&frame, [1, 2, 3, 4, 5, 6]).expect("a frame");
            assert_eq!(&back[..6], &[1, 2, 3, 4, 5, 6]);
            assert!(whole(&back[ETHERNET..]));
            assert_eq!(parse(&back), Some(Sighting::Syn(flow)));
            let refusal = reset(&frame).expect("a packet");
            assert!(whole(&refusal));
            let (source, target, _, _, segment) = network_layer(&refusal).expect("a packet");
            assert_eq!((source, target), (flow.server.ip(), flow.client.ip()));
            assert_eq!(segment[13], 0x14);
            let expected = 42 + u8::try_from(data.len()).expect("short");
            assert_eq!(&segment[8..12], &[0, 0, 0, expected]);
        }
    }
}

#[test]
fn errors_quote_the_packet_and_have_whole_checksums() {
    for (client, server, router) in [
        ("10.1.0.2", "192.0.2.9", "10.1.0.1"),
        ("fd00::2", "2001:db8::9", "fd00::1"),
    ] {
        let frame = syn(client, server, b"");
        let error = unreachable_frame(address(router), Unreachable::Host, &frame).expect("a packet");
        assert!(whole(&error));
        let (_, target, _, _, payload) = network_layer(&error).expect("a packet");
        assert_eq!(target, address(client));
        assert_eq!(&payload[8..], &frame[ETHERNET..]);
        let flow = Flow {
            client: SocketAddr::new(address(client), 5),
            server: SocketAddr::new(address(server), 6),
        };
        let error = unreachable_datagram(address(server), Unreachable::Port, flow).expect("a packet");
        assert!(whole(&error));
    }
}

#[test]
fn echo_replies_carry_the_request_s_own_marks() {
    for (client, server) in [("10.1.0.2", "192.0.2.9"), ("fd00::2", "2001:db8::9")] {
        let reply = echo_reply(address(server), address(client), (7, 9), b"payload").expect("a packet");
        assert!(whole(&reply));
        let (_, _, _, _, payload) = network_layer(&reply).expect("a packet");
        assert_eq!(
            read_reply(client.contains('.'), false, payload),
            Some((7, 9, &b"payload"[..]))
        );
    }
}

#[test]
fn options_fragments_and_other_flags_are_dropped() {
    let good = syn("10.1.0.2", "192.0.2.9", b"");
    for (at, value) in [
        (14, 0x46),
        (20, 0x20),
        (21, 0x01),
        (47, 0x12),
        (47, 0x03),
        (47, 0x06),
        (46, 0x40),
        (46, 0xf0),
    ] {
        let mut frame = good.clone();
        frame[at] = value;
        assert_eq!(parse(&frame), None, "{at} {value:#x}");
    }
    for length in 0..good.len() {
        assert_eq!(parse(&good[..length]), None, "{length}");
    }
}

proptest! {
    #[test]
    fn no_frame_makes_the_reader_or_the_writers_fail(frame in proptest::collection::vec(any::<u8>(), 0..200), v6: bool) {
        let mut frame = frame;
        if let Some(byte) = frame.get_mut(14) {
            *byte = if v6 { 0x60 } else { 0x45 };
        }
        let _ = parse(&frame);
        let _ = readdress(&frame, [0; 6]);
        let _ = reset(&frame);
        let _ = unreachable_frame(address("10.1.0.1"), Unreachable::Port, &frame);
        let _ = read_reply(!v6, true, &frame);
    }

    #[test]
    fn a_changed_first_segment_is_read_or_dropped(at in 0usize..60, value: u8, cut in 0usize..60, v6: bool) {
        let mut frame = if v6 { syn("fd00::2", "2001:db8::9", b"x") } else { syn("10.1.0.2", "192.0.2.9", b"x") };
        let at = at.min(frame.len() - 1);
        frame[at] = value;
        frame.truncate(frame.len() - cut.min(frame.len()));
        if matches!(parse(&frame), Some(Sighting::Syn(_))) {
            prop_assert!(readdress(&frame, [0; 6]).is_some());
            prop_assert!(reset(&frame).is_some());
        }
    }
}
