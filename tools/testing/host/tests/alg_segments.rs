// SPDX-License-Identifier: GPL-2.0

//! Streams that helpers read, cut into segments in every way: what a segment
//! announces is what the whole stream announces there, or nothing. A line that
//! goes on in the next segment must not become another one.

use nf_proto::{
    alg::{
        ftp::{self, Reading},
        h323::tpkt::Messages,
        irc,
        lines::Lines,
    },
    tuple::{Direction, Family},
};

/// A segment of `stream`, as the helpers see it.
struct Segment<'s> {
    /// Its sequence number.
    seq: u32,
    payload: &'s [u8],
}

/// `stream` in segments that end at `cuts`, which are in order.
fn segments<'s>(stream: &'s [u8], cuts: &[usize]) -> Vec<Segment<'s>> {
    let ends = cuts.iter().copied().chain([stream.len()]);
    let mut start = 0;
    ends.map(|end| {
        let payload = &stream[start..end];
        let seq = START.wrapping_add(start as u32);
        start = end;
        Segment { seq, payload }
    })
    .filter(|segment| !segment.payload.is_empty())
    .collect()
}

/// Close to the wrap of sequence numbers.
const START: u32 = u32::MAX - 20;

/// All ways to cut into three segments.
fn all_cuts(len: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..=len).flat_map(move |first| (first..=len).map(move |second| [first, second]))
}

/// Lines as the helpers follow them from the start of a stream.
fn from_the_start() -> Lines {
    let mut lines = Lines::default();
    lines.ends_before(START);
    lines
}

/// The ports that an FTP stream announces; a segment that is unclear is lost,
/// and so is, for the reader, what comes after it in the stream.
fn ftp_ports(segments: &[Segment<'_>], direction: Direction, family: Family) -> Vec<u16> {
    let mut lines = from_the_start();
    let mut ports = Vec::new();
    for Segment { seq, payload } in segments {
        if lines.begins(*seq) {
            match ftp::read(payload, direction, family) {
                Reading::Other => {}
                Reading::Unclear(_) => break,
                Reading::Announced(found) => ports.push(found.port),
            }
        }
        if payload.ends_with(b"\n") {
            lines.ends_before(seq.wrapping_add(payload.len() as u32));
        }
    }
    ports
}

#[test]
fn ftp_commands() {
    for (stream, direction, family, port) in [
        (
            "PORT 192,0,2,1,4,210\r\n",
            Direction::Original,
            Family::Ipv4,
            1234,
        ),
        (
            "EPRT |1|132.235.1.2|6275|\r\n",
            Direction::Original,
            Family::Ipv4,
            6275,
        ),
        (
            "EPRT |2|1080::8:800:200C:417A|5282|\r\n",
            Direction::Original,
            Family::Ipv6,
            5282,
        ),
        (
            "227 Entering Passive Mode (127,0,0,1,4,51).\r\n",
            Direction::Reply,
            Family::Ipv4,
            1075,
        ),
        (
            "229 Entering Extended Passive Mode (|||6446|)\r\n",
            Direction::Reply,
            Family::Ipv6,
            6446,
        ),
    ] {
        let whole = segments(stream.as_bytes(), &[]);
        assert_eq!(ftp_ports(&whole, direction, family), [port], "{stream}");
        for cuts in all_cuts(stream.len()) {
            let ports = ftp_ports(&segments(stream.as_bytes(), &cuts), direction, family);
            assert!(
                ports.is_empty() || ports == [port],
                "{stream} at {cuts:?}: {ports:?}"
            );
        }
    }
}

/// What a peer had the other side repeat begins no line, wherever it is cut.
#[test]
fn ftp_text_that_looks_like_a_command() {
    let stream = b"257 \"PORT 192,0,2,1,4,210\r 227 (127,0,0,1,4,51)\" is the directory\r\n";
    for cuts in all_cuts(stream.len()) {
        for direction in [Direction::Original, Direction::Reply] {
            let ports = ftp_ports(&segments(stream, &cuts), direction, Family::Ipv4);
            assert_eq!(ports, [], "{cuts:?}");
        }
    }
}

fn irc_ports(segments: &[Segment<'_>]) -> Vec<u16> {
    let mut lines = from_the_start();
    let mut ports = Vec::new();
    for Segment { seq, payload } in segments {
        let begins = lines.begins(*seq);
        if payload.ends_with(b"\n") {
            lines.ends_before(seq.wrapping_add(payload.len() as u32));
        }
        ports.extend(irc::announcements(payload, begins).map(|found| found.port));
    }
    ports
}

#[test]
fn irc_messages() {
    let stream = b"PRIVMSG a :\x01DCC CHAT chat 1 1021\x01\r\n\
        PONG :PRIVMSG x :\x01DCC SEND f 1 1099 3\x01\r\nPRIVMSG c :\x01DCC SEND f 3 1022 5\x01\r\n";
    assert_eq!(irc_ports(&segments(stream, &[])), [1021, 1022]);
    for cuts in all_cuts(stream.len()) {
        let ports = irc_ports(&segments(stream, &cuts));
        let mut rest = [1021, 1022].iter();
        let in_order = ports.iter().all(|port| rest.any(|wanted| wanted == port));
        assert!(in_order, "{cuts:?}: {ports:?}");
    }
}

/// H.323's messages over TCP: their headers may come in segments of their own.
#[test]
fn tpkt_messages() {
    let stream = b"\x03\0\0\x08abcd\x03\0\0\x04\x03\0\0\x07xyz";
    let whole: [&[u8]; 3] = [b"abcd", b"", b"xyz"];
    for cuts in all_cuts(stream.len()) {
        let (mut announced, mut seen) = (0, Vec::new());
        for Segment { payload, .. } in segments(stream, &cuts) {
            let mut messages = Messages::new(payload, announced);
            for (at, message) in &mut messages {
                let at = usize::from(at);
                assert_eq!(&payload[at..at + message.len()], message);
                seen.push(message);
            }
            announced = messages.announced();
        }
        let mut rest = whole.iter();
        let in_order = seen
            .iter()
            .all(|message| rest.any(|wanted| wanted == message));
        assert!(in_order, "{cuts:?}: {seen:?}");
    }
}
