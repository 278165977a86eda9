// SPDX-License-Identifier: GPL-2.0

extern crate std;

mod boundaries;

use super::{
    super::{
        edits::{Edits, Slot},
        room::tests::is_kept,
        Span,
    },
    message::*,
    sdp::{Kind, Session},
    state::{bindings, forced_port, step, NoSequence, State, Step},
    stream::{frame, Frame, Messages, Open},
    streams::{self, Refused},
    translate::{content_length, headers, View, MOST, ROOM},
    *,
};
use crate::be::Be32;
use std::{format, string::String, vec::Vec};

const INVITE: &str = "INVITE sip:bob@198.51.100.9:5060;transport=udp SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1\r\n\
v: SIP/2.0/UDP 192.0.2.77:5060\r\n\
From: \"Alice, <x>\" <sip:alice@192.0.2.1>;tag=1\r\n\
To: <sip:bob@198.51.100.9>\r\n\
Call-ID: 1@192.0.2.1\r\n\
CSeq:\r\n\t314 INVITE\r\n\
Contact: <sip:alice@192.0.2.1:5060>, \"b\" <sip:b@192.0.2.1>;q=0.5\r\n\
Content-Type: application/sdp\r\n\
Content-Length: 177\r\n\
\r\n\
v=0\r\n\
o=alice 1 1 IN IP4 192.0.2.1\r\n\
s=-\r\n\
c=IN IP4 192.0.2.1\r\n\
t=0 0\r\n\
m=audio 20000 RTP/AVP 0\r\n\
m=video 20002/2 RTP/AVP 31\r\n\
c=IN IP4 192.0.2.2/127\r\n\
m=audio 0 RTP/AVP 0\r\n\
m=data 1 x\r\n";

fn v4(a: u8, b: u8, c: u8, d: u8) -> Address {
    Address::v4(Be32::from_bytes([a, b, c, d]))
}

fn at(address: Address, port: u16) -> Endpoint {
    let port = Be16::new(port);
    Endpoint { address, port }
}

fn parse(text: &str) -> Message<'_> {
    Message::parse(text.as_bytes(), 0).unwrap()
}

/// What of a segment at 9 goes on in the next one.
fn open_after(text: &str) -> Open {
    let mut messages = Messages::new(text.as_bytes(), 9, &Open::default());
    for _ in messages.by_ref() {}
    messages.open().unwrap()
}

fn text<'a>(message: &Message<'a>, span: Span) -> &'a str {
    core::str::from_utf8(message.at(span)).unwrap()
}

/// Alice, inside, calls Bob through a NAT that shows her as 203.0.113.5:6000.
fn outwards() -> View {
    let (alice, bob) = (at(v4(192, 0, 2, 1), 5060), at(v4(198, 51, 100, 9), 5060));
    View {
        family: Family::Ipv4,
        protocol: 17,
        source: alice,
        destination: bob,
        new_source: at(v4(203, 0, 113, 5), 6000),
        new_destination: bob,
        called: bob,
    }
}

fn inwards() -> View {
    let view = outwards();
    View {
        source: view.destination,
        destination: view.new_source,
        new_source: view.destination,
        new_destination: view.source,
        called: view.source,
        ..view
    }
}

/// Runs `f` with room for changes.
fn with<R>(f: impl FnOnce(&mut Edits<'_>) -> R) -> R {
    let (mut slots, mut room) = ([Slot::default(); MOST], [0; ROOM]);
    f(&mut Edits::new(&mut slots, &mut room))
}

/// The text after `change` said what to change.
fn changed(text: &str, change: impl FnOnce(&Message<'_>, &mut Edits<'_>)) -> String {
    with(|changes| {
        change(&parse(text), changes);
        apply(text, changes)
    })
}

fn apply(text: &str, changes: &Edits<'_>) -> String {
    let mut out = String::new();
    let mut behind = 0;
    for (span, new) in changes.iter() {
        out.push_str(&text[behind..span.start]);
        out.push_str(core::str::from_utf8(new).unwrap());
        behind = span.start + span.len;
    }
    out.push_str(&text[behind..]);
    out
}

#[test]
fn a_message_is_taken_apart() {
    let message = parse(INVITE);
    let Start::Request { method, uri } = message.start else {
        panic!("no request");
    };
    assert_eq!(method, Method::Invite);
    assert_eq!(
        text(&message, uri),
        "sip:bob@198.51.100.9:5060;transport=udp"
    );
    assert_eq!(message.sequence(), Some((314, Method::Invite)));
    assert_eq!(
        message
            .headers()
            .filter(|header| header.name == Name::Via)
            .count(),
        2
    );
    assert_eq!(message.number(Name::ContentLength), Some(177));
    let body = message.body().unwrap();
    assert!(text(&message, body).starts_with("v=0\r\n"));
    assert_eq!(body.len, 177);
    let response = parse("SIP/2.0 200 OK\r\nCSeq: 7 REGISTER\r\n\r\n");
    assert_eq!(response.start, Start::Response { code: 200 });
    assert_eq!(response.sequence(), Some((7, Method::Register)));
}

#[test]
fn what_is_no_sip() {
    for text in [
        "",
        "INVITE",
        "INVITE ",
        "INVITE 7 SIP/2.0\r\n",
        "SIP/2.0 x",
        "SIP/2.0 99",
        "SIP/2.0 1000 x",
        "\r\n\r\n",
    ] {
        assert!(Message::parse(text.as_bytes(), 0).is_err(), "{text}");
    }
}

/// Header name, then folded white space, at the end of the packet.
#[test]
fn folding_at_the_end() {
    for text in [
        "BYE sip:a SIP/2.0\r\nCSeq",
        "BYE sip:a SIP/2.0\r\nCSeq:",
        "BYE sip:a SIP/2.0\r\nCSeq:\r\n ",
        "BYE sip:a SIP/2.0\r\nCSeq:\r\n \t",
    ] {
        let message = parse(text);
        assert_eq!(message.sequence(), None, "{text:?}");
        assert_eq!(step(&message, &State::default()), Err(NoSequence));
    }
    let message = parse("BYE sip:a SIP/2.0\nCSeq : 1\n  BYE");
    assert_eq!(message.sequence(), Some((1, Method::Bye)));
}

#[test]
fn addresses_in_uris() {
    let family = Family::Ipv4;
    for (value, expected) in [
        (
            "<sip:a@192.0.2.1>",
            Some((at(v4(192, 0, 2, 1), 5060), "192.0.2.1")),
        ),
        (
            "sip:192.0.2.1:5070",
            Some((at(v4(192, 0, 2, 1), 5070), "192.0.2.1:5070")),
        ),
        (
            "\"x <sip:1.1.1.1>\" <sip:a:b@192.0.2.1:5070;x>",
            Some((at(v4(192, 0, 2, 1), 5070), "192.0.2.1:5070")),
        ),
        ("<sip:a@example.org>", None),
        ("<sip:a@192.0.2.1.example.org>", None),
        ("<sip:a@192.0.2.256>", None),
        ("<sip:a@192.0.2.1:65536>", None),
        ("<sip:a@192.0.2.1:1023>", None),
        ("<sip:a@192.0.2.1:>", None),
        ("<tel:+1>", None),
    ] {
        let line = format!("BYE sip:a SIP/2.0\r\nContact: {value}\r\n\r\n");
        let message = parse(&line);
        let contact = message.header(Name::Contact).unwrap();
        let found = uri::in_values(&message, contact, family).next();
        let found = found.map(|found| (found.endpoint, text(&message, found.span)));
        assert_eq!(found, expected, "{value}");
    }
    let line = "BYE sip:[2001:db8::1]:5070 SIP/2.0\r\n\r\n";
    let message = parse(line);
    let Start::Request { uri, .. } = message.start else {
        panic!("no request");
    };
    let found = uri::in_uri(&message, uri, Family::Ipv6).unwrap();
    assert_eq!(text(&message, found.span), "[2001:db8::1]:5070");
    assert_eq!(
        found.endpoint.text(Family::Ipv6).unwrap().text(),
        b"[2001:db8::1]:5070"
    );
}

/// CVE-2026-52986: digits that end with the packet.
#[test]
fn port_at_the_end_of_the_packet() {
    let message = parse("OPTIONS sip:a@192.0.2.1:50");
    let Start::Request { uri, .. } = message.start else {
        panic!("no request");
    };
    assert_eq!(uri::in_uri(&message, uri, Family::Ipv4), None);
    let message = parse("OPTIONS sip:a@192.0.2.1:5070");
    let Start::Request { uri, .. } = message.start else {
        panic!("no request");
    };
    let found = uri::in_uri(&message, uri, Family::Ipv4).unwrap();
    assert_eq!(found.endpoint.port.get(), 5070);
}

#[test]
fn sessions() {
    let message = parse(INVITE);
    let session = Session::of(&message, Family::Ipv4).unwrap();
    let (owner, span) = session.owner().unwrap();
    assert_eq!(
        (owner, text(&message, span)),
        (v4(192, 0, 2, 1), "192.0.2.1")
    );
    let media: Vec<_> = session.media().map(|media| media.unwrap()).collect();
    assert_eq!(media.len(), 2);
    assert_eq!(
        (media[0].kind, media[0].port, media[0].address),
        (Kind::Audio, 20000, v4(192, 0, 2, 1))
    );
    assert_eq!(media[0].connection, None);
    assert_eq!(text(&message, media[0].port_span), "20000");
    assert_eq!(
        (media[1].kind, media[1].port, media[1].address),
        (Kind::Video, 20002, v4(192, 0, 2, 2))
    );
    assert_eq!(text(&message, media[1].connection.unwrap().1), "192.0.2.2");
}

/// CVE-2026-31427: no stream, or none in use.
#[test]
fn sessions_without_streams() {
    for body in [
        "v=0\r\n",
        "v=0\r\nm=audio 0 RTP/AVP 0\r\n",
        "v=0\r\nc=IN IP4 192.0.2.1\r\n",
    ] {
        let text = format!("ACK sip:a SIP/2.0\r\nCSeq: 1 ACK\r\n\r\n{body}");
        let message = parse(&text);
        let session = Session::of(&message, Family::Ipv4).unwrap();
        assert!(session.media().next().is_none(), "{body}");
    }
    for body in [
        "v=0\r\nm=audio 20000 x\r\n",
        "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 1023 x\r\n",
        "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 65536 x\r\n",
        "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio x\r\n",
        "v=0\r\nc=IN IP6 ::1\r\nm=audio 20000 x\r\n",
    ] {
        let text = format!("ACK sip:a SIP/2.0\r\nCSeq: 1 ACK\r\n\r\n{body}");
        let message = parse(&text);
        let session = Session::of(&message, Family::Ipv4).unwrap();
        assert_eq!(session.media().next(), Some(Err(sdp::Wrong)), "{body}");
    }
}

#[test]
fn steps() {
    let state = State {
        register: 7,
        invite: 8,
        forced_port: Be16::new(0),
        open: [
            open_after(&INVITE[..INVITE.len() - 5]),
            open_after(&INVITE[..100]),
        ],
    };
    for (text, expected) in [
        ("INVITE sip:a SIP/2.0\r\nCSeq: 9 INVITE\r\n", Step::Call(9)),
        ("UPDATE sip:a SIP/2.0\r\nCSeq: 9 UPDATE\r\n", Step::Session),
        ("PRACK sip:a SIP/2.0\r\nCSeq: 9 PRACK\r\n", Step::Session),
        ("ACK sip:a SIP/2.0\r\nCSeq: 9 ACK\r\n", Step::Session),
        ("BYE sip:a SIP/2.0\r\nCSeq: 9 BYE\r\n", Step::EndMedia),
        ("CANCEL sip:a SIP/2.0\r\n", Step::Nothing),
        (
            "REGISTER sip:a SIP/2.0\r\nCSeq: 9 REGISTER\r\n",
            Step::Register(9),
        ),
        ("SIP/2.0 183 x\r\nCSeq: 8 INVITE\r\n", Step::Session),
        ("SIP/2.0 200 x\r\nCSeq: 8 INVITE\r\n", Step::Session),
        ("SIP/2.0 487 x\r\nCSeq: 8 INVITE\r\n", Step::EndMedia),
        ("SIP/2.0 487 x\r\nCSeq: 9 INVITE\r\n", Step::Nothing),
        ("SIP/2.0 100 x\r\nCSeq: 7 REGISTER\r\n", Step::Nothing),
        ("SIP/2.0 200 x\r\nCSeq: 7 REGISTER\r\n", Step::Registered),
        ("SIP/2.0 401 x\r\nCSeq: 7 REGISTER\r\n", Step::Refused),
        ("SIP/2.0 200 x\r\nCSeq: 6 REGISTER\r\n", Step::Nothing),
    ] {
        assert_eq!(step(&parse(text), &state), Ok(expected), "{text}");
    }
    is_kept(state);
}

#[test]
fn registrations() {
    let own = v4(192, 0, 2, 1);
    let text = "REGISTER sip:r SIP/2.0\r\nExpires: 60\r\n\
        m: <sip:a@192.0.2.1:5070;transport=tcp>;expires=30\r\n\
        m: <sip:a@192.0.2.1:5072;transport=UDP>;expires=30, sip:a@192.0.2.1, <sip:a@192.0.2.9>\r\n\
        Contact: <sip:a@192.0.2.1;transport=sctp>\r\n\r\n";
    let message = parse(text);
    let found: Vec<_> = bindings(&message, own, 17, Family::Ipv4)
        .map(|b| b.unwrap())
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].endpoint, found[0].expires), (at(own, 5072), 30));
    assert_eq!((found[1].endpoint, found[1].expires), (at(own, 5060), 60));
    let text = "REGISTER sip:r SIP/2.0\r\nContact: <sip:a@192.0.2.1>;expires=4294967296\r\n\r\n";
    let message = parse(text);
    assert!(bindings(&message, own, 17, Family::Ipv4)
        .next()
        .unwrap()
        .is_err());
}

#[test]
fn phones_that_want_answers_elsewhere() {
    let text = "REGISTER sip:r SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060\r\n\r\n";
    let from = at(v4(192, 0, 2, 1), 49152);
    assert_eq!(
        forced_port(&parse(text), &from, Family::Ipv4),
        Some(Be16::new(5060))
    );
    let from = at(v4(192, 0, 2, 1), 5060);
    assert_eq!(forced_port(&parse(text), &from, Family::Ipv4), None);
}

#[test]
fn a_request_goes_out_and_its_answer_comes_in() {
    let out = changed(INVITE, |message, changes| {
        headers(message, &outwards(), changes).unwrap()
    });
    assert!(out.contains("Via: SIP/2.0/UDP 203.0.113.5:6000;rport;branch"));
    assert!(out.contains("v: SIP/2.0/UDP 192.0.2.77:5060"));
    assert!(out.contains("<sip:alice@203.0.113.5:6000>;tag=1"));
    assert!(out.contains("Contact: <sip:alice@203.0.113.5:6000>, \"b\" <sip:b@203.0.113.5:6000>;q"));
    assert!(out.contains("INVITE sip:bob@198.51.100.9:5060;"));

    let answer = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP 203.0.113.5:6000;received=203.0.113.5;rport=6000\r\n\
        From: <sip:alice@203.0.113.5:6000>;tag=1\r\n\
        CSeq: 314 INVITE\r\nContact: <sip:bob@198.51.100.9>\r\n\r\n";
    let into = changed(answer, |message, changes| {
        headers(message, &inwards(), changes).unwrap()
    });
    assert!(into.contains("Via: SIP/2.0/UDP 192.0.2.1:5060;received=192.0.2.1;rport=5060\r\n"));
    assert!(into.contains("From: <sip:alice@192.0.2.1:5060>;tag=1"));
    assert!(into.contains("Contact: <sip:bob@198.51.100.9>\r\n"));
}

#[test]
fn content_length_follows_the_body() {
    for (address, length) in [(v4(1, 2, 3, 4), 173), (v4(203, 200, 113, 155), 189)] {
        let out = changed(INVITE, |message, changes| {
            let session = Session::of(message, Family::Ipv4).unwrap();
            let places = [session.owner().unwrap().1, session.connection().unwrap().1];
            for span in places {
                let text = plain(&address, Family::Ipv4).unwrap();
                changes.add(span, text.text()).unwrap();
            }
            content_length(message, session.body(), changes).unwrap();
        });
        assert!(
            out.contains(&format!("Content-Length: {length}\r\n")),
            "{out}"
        );
        assert_eq!(frame(out.as_bytes(), 0), Frame::Whole(out.len()));
    }
}

#[test]
fn frames() {
    let two = format!("{INVITE}{INVITE}");
    assert_eq!(frame(two.as_bytes(), 0), Frame::Whole(INVITE.len()));
    assert_eq!(frame(two.as_bytes(), INVITE.len()), Frame::Whole(two.len()));
    let body = INVITE.find("v=0").unwrap();
    let length = INVITE.find("177").unwrap() + "177\r\n".len();
    for cut in 1..INVITE.len() {
        let expected = match cut {
            cut if cut >= body => Frame::Open(INVITE.len()),
            cut if cut >= length => Frame::Cut(Some(177)),
            _ => Frame::Cut(None),
        };
        assert_eq!(frame(&INVITE.as_bytes()[..cut], 0), expected, "{cut}");
    }
    assert_eq!(frame(b"", 0), Frame::Unknown);
    // A length that wraps, and one over the segment's end.
    for length in [
        "4294967328",
        "4294967295",
        "18446744073709551615",
        "9999999",
        "x",
    ] {
        let text = INVITE.replace("177", length);
        assert_eq!(frame(text.as_bytes(), 0), Frame::Unknown, "{length}");
    }
    let text = INVITE.replace("177", "178");
    assert_eq!(frame(text.as_bytes(), 0), Frame::Open(text.len() + 1));
}

/// CVE-2026-74569: however long a list of contacts is, all of it is written or
/// nothing.
#[test]
fn too_many_contacts_are_refused() {
    let contacts = "sip:alice@192.0.2.1,".repeat(2000);
    let text = format!("REGISTER sip:r SIP/2.0\r\nContact: {contacts}\r\n\r\n");
    with(|changes| assert!(headers(&parse(&text), &outwards(), changes).is_err()));
}
