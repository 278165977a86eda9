// SPDX-License-Identifier: GPL-2.0

//! Messages cut anywhere, split over segments, and addresses of all lengths.

use super::*;

/// All that is done to a message of an outgoing call: streams go where `new`
/// says, from port 40000 on.
fn translated(text: &str, view: &View, new: Address) -> Result<String, Refused<()>> {
    with(|changes| {
        let message = parse(text);
        if let Some(session) = Session::of(&message, view.family) {
            let mut port = 40000;
            streams::each(&session, Some((view, &mut *changes)), |_| {
                port += 2;
                Ok(at(new, port))
            })?;
            content_length_after(&message, &session, view, changes)?;
        } else {
            headers(&message, view, changes)?;
        }
        Ok(apply(text, changes))
    })
}

fn content_length_after(
    message: &Message<'_>,
    session: &Session<'_>,
    view: &View,
    changes: &mut Edits<'_>,
) -> Result<(), Refused<()>> {
    headers(message, view, changes)?;
    content_length(message, session.body(), changes)?;
    Ok(())
}

#[test]
fn a_session_goes_elsewhere() {
    let out = translated(INVITE, &outwards(), v4(203, 0, 113, 5)).unwrap();
    assert!(
        out.contains("\r\no=alice 1 1 IN IP4 203.0.113.5\r\n"),
        "{out}"
    );
    // The last stream without an address of its own.
    assert!(out.contains("\r\nc=IN IP4 203.0.113.5\r\nt=0"));
    assert!(out.contains("m=audio 40002 RTP"));
    assert!(out.contains("m=video 40004/2 RTP"));
    assert!(out.contains("c=IN IP4 203.0.113.5/127\r\n"));
    assert!(out.contains("m=audio 0 RTP"));
    assert_eq!(frame(out.as_bytes(), 0), Frame::Whole(out.len()));
    // Every place that named Alice names the outside now, but for what is no
    // address of hers to be used: the call's name.
    let left: Vec<_> = out.match_indices("192.0.2.1").collect();
    assert_eq!(left.len(), 1, "{out}");
    assert!(out.contains("Call-ID: 1@192.0.2.1\r\n"));
}

/// Growth and shrink of everything, from the shortest address to the longest.
#[test]
fn addresses_of_all_lengths() {
    let lengths = [
        v4(1, 1, 1, 1),
        v4(10, 1, 1, 1),
        v4(192, 0, 2, 1),
        v4(192, 168, 100, 200),
    ];
    for inside in lengths {
        let name = plain(&inside, Family::Ipv4).unwrap();
        let name = core::str::from_utf8(name.text()).unwrap();
        let text = INVITE.replace("192.0.2.1\r", &format!("{name}\r"));
        let body = text.len() - text.find("v=0").unwrap();
        let text = text.replace("177", &format!("{body}"));
        for outside in lengths {
            let view = View {
                new_source: at(outside, 65535),
                ..outwards()
            };
            let out = translated(&text, &view, outside).unwrap();
            assert_eq!(frame(out.as_bytes(), 0), Frame::Whole(out.len()), "{out}");
            let shown = plain(&outside, Family::Ipv4).unwrap();
            let shown = core::str::from_utf8(shown.text()).unwrap();
            assert!(out.contains(&format!("c=IN IP4 {shown}\r\n")));
            assert!(out.contains(&format!("Contact: <sip:alice@{shown}:65535>")));
        }
    }
}

#[test]
fn ipv6() {
    let address = |last: u32| {
        Address([
            Be32::new(0x2001_0db8),
            Be32::new(0),
            Be32::new(0),
            Be32::new(last),
        ])
    };
    let (alice, bob) = (at(address(1), 5060), at(address(2), 5060));
    let view = View {
        family: Family::Ipv6,
        protocol: 6,
        source: alice,
        destination: bob,
        new_source: at(address(0xdead_beef), 6000),
        new_destination: bob,
        called: bob,
    };
    let text = "INVITE sip:bob@[2001:db8::2] SIP/2.0\r\n\
        Via: SIP/2.0/TCP [2001:db8:0::1]:5060;maddr=[2001:db8::1]\r\n\
        Contact: <sip:alice@[2001:db8::1]>\r\n\
        CSeq: 1 INVITE\r\nContent-Length: 86\r\n\r\n\
        v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\n\
        m=image 1025 udptl t38\r\n\r\n";
    assert_eq!(frame(text.as_bytes(), 0), Frame::Whole(text.len()));
    let out = translated(text, &view, address(0xdead_beef)).unwrap();
    assert!(
        out.contains("TCP [2001:db8::dead:beef]:6000;maddr=[2001:db8::dead:beef]\r\n"),
        "{out}"
    );
    assert!(out.contains("<sip:alice@[2001:db8::dead:beef]:6000>"));
    assert!(out.contains("c=IN IP6 2001:db8::dead:beef\r\n"));
    // An odd port stays one.
    assert!(out.contains("m=image 40003 udptl"));
    assert_eq!(frame(out.as_bytes(), 0), Frame::Whole(out.len()));
}

/// A message cut anywhere is read without trouble, and what is said of the part
/// stays within it.
#[test]
fn cut_at_every_byte() {
    let view = outwards();
    for cut in 0..INVITE.len() {
        let part = &INVITE.as_bytes()[..cut];
        let Ok(message) = Message::parse(part, 0) else {
            continue;
        };
        let _ = step(&message, &State::default());
        with(|changes| {
            let _ = headers(&message, &view, changes);
            if let Some(session) = Session::of(&message, view.family) {
                let _ = streams::each(&session, Some((&view, &mut *changes)), |media| {
                    assert!(media.port_span.start + media.port_span.len <= cut);
                    Ok::<_, ()>(at(media.address, media.port))
                });
                let _ = content_length(&message, session.body(), changes);
            }
            for (span, _) in changes.iter() {
                assert!(span.start + span.len <= cut, "{cut}");
            }
        });
    }
}

#[test]
fn several_messages_in_a_segment() {
    let bye = "BYE sip:a@192.0.2.1 SIP/2.0\r\nCSeq: 1 BYE\r\nl: 0\r\n\r\n";
    let text = format!("\r\n\r\n{INVITE}{bye}\r\n{bye}{INVITE}");
    let payload = text.as_bytes();
    let mut messages = Messages::new(payload, 0, &Open::default());
    let found: Vec<_> = messages
        .by_ref()
        .map(|span| Message::parse(&payload[..span.start + span.len], span.start))
        .map(|message| message.unwrap().sequence().unwrap().1)
        .collect();
    let (invite, bye) = (Method::Invite, Method::Bye);
    assert_eq!(found, [invite, bye, bye, invite]);
    assert_eq!(messages.open(), None);
}

/// Split at every byte over two segments: what of the second belongs to the
/// message that the first did not end is not read as one, and the next one is.
#[test]
fn split_at_every_byte() {
    let inner = "BYE sip:a@192.0.2.1 SIP/2.0\r\nCSeq: 1 BYE\r\nl: 0\r\n\r\n";
    let text = format!(
        "MESSAGE sip:a SIP/2.0\r\nCSeq: 2 MESSAGE\r\nContent-Length: {}\r\nSubject: x\r\n\r\n{inner}",
        inner.len()
    );
    let both = format!("{text}{inner}");
    let number = text.find("Content").unwrap()..text.find("Subject").unwrap();
    let seq = u32::MAX - 20;
    for cut in 1..text.len() {
        let mut first = Messages::new(&both.as_bytes()[..cut], seq, &Open::default());
        assert_eq!(first.next(), None, "{cut}");
        let open = first.open();
        // A length that is cut itself is not known, or it is another one.
        if number.contains(&cut) && cut > number.start {
            continue;
        }
        let open = open.unwrap_or_else(|| panic!("{cut}: not known to go on"));
        let second = &both.as_bytes()[cut..];
        let found = |seq: u32| Messages::new(second, seq, &open).collect::<Vec<_>>();
        let last = Span {
            start: text.len() - cut,
            len: inner.len(),
        };
        assert_eq!(found(seq.wrapping_add(cut as u32)), [last], "{cut}");
        // The first one once more: it is read again.
        let again = Messages::new(both.as_bytes(), seq, &open);
        assert_eq!(again.count(), 2, "{cut}");
    }
}

/// The same in three segments, with the second all within the headers.
#[test]
fn headers_over_three_segments() {
    let text = "OPTIONS sip:a SIP/2.0\r\nl: 0\r\nSubject: a\r\nUser-Agent: b\r\n\r\n";
    let both = format!("{text}{text}").into_bytes();
    let length = text.find("l: 0").unwrap() + 6;
    for first in length..text.len() - 1 {
        for second in first + 1..text.len() {
            let mut open = Open::default();
            let mut found = 0;
            for (from, to) in [(0, first), (first, second), (second, both.len())] {
                let mut messages = Messages::new(&both[from..to], from as u32, &open);
                found += messages.by_ref().count();
                open = messages.open().unwrap_or(open);
            }
            assert_eq!(found, 1, "{first} {second}");
        }
    }
}

#[test]
fn numbers_at_their_limits() {
    for (cseq, expected) in [
        ("0", Some(0)),
        ("2147483648", Some(1 << 31)),
        ("4294967295", Some(u32::MAX)),
        ("4294967296", None),
        ("", None),
        ("x", None),
    ] {
        let text = format!("BYE sip:a SIP/2.0\r\nCSeq: {cseq} BYE\r\n\r\n");
        let found = parse(&text).sequence().map(|(number, _)| number);
        assert_eq!(found, expected, "{cseq}");
    }
    for (port, expected) in [
        ("1023", Some(Err(sdp::Wrong))),
        ("1024", Some(Ok(1024))),
        ("65535", Some(Ok(65535))),
        ("65536", Some(Err(sdp::Wrong))),
        ("4294967297", Some(Err(sdp::Wrong))),
        ("0", None),
    ] {
        let text = format!(
            "ACK sip:a SIP/2.0\r\nCSeq: 1 ACK\r\n\r\nv=0\r\nc=IN IP4 1.2.3.4\r\nm=audio {port} x\r\n"
        );
        let message = parse(&text);
        let session = Session::of(&message, Family::Ipv4).unwrap();
        let found = session
            .media()
            .next()
            .map(|media| media.map(|media| media.port));
        assert_eq!(found, expected, "{port}");
    }
}

#[test]
fn streams_have_a_limit() {
    let stream = "m=audio 20000 RTP/AVP 0\r\n";
    for count in [0, 1, streams::MOST, streams::MOST + 1] {
        let text = format!(
            "ACK sip:a SIP/2.0\r\nCSeq: 1 ACK\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\n{}",
            stream.repeat(count)
        );
        let message = parse(&text);
        let session = Session::of(&message, Family::Ipv4).unwrap();
        let mut seen = 0;
        let mut place = |media: &sdp::Media| {
            seen += 1;
            Ok::<_, ()>(at(media.address, media.port))
        };
        // Without NAT the rest is nobody's business.
        assert_eq!(streams::each(&session, None, &mut place), Ok(()));
        assert_eq!(seen, count.min(streams::MOST));
        let translated = translated(&text, &outwards(), v4(203, 0, 113, 5));
        assert_eq!(translated.is_ok(), count <= streams::MOST);
        if count == 0 {
            assert!(translated.unwrap().contains("c=IN IP4 203.0.113.5"));
        }
    }
}

#[test]
fn one_header_for_others() {
    use crate::alg::sip::find::{find, Found, Wanted};
    let of = |text: &str, from, wanted| match find(text.as_bytes(), from, wanted) {
        Found::At(span) => Ok(String::from(&text[span.start..span.start + span.len])),
        other => Err(other),
    };
    let id = Wanted::CallId;
    assert_eq!(of(INVITE, 0, id), Ok("1@192.0.2.1".into()));
    assert_eq!(of("x\r\ni:a@b@c\r\n", 0, id), Ok("a@b".into()));
    assert_eq!(of("x\r\nCall-Id :\r\n {a}\r\n", 0, id), Ok("{a}".into()));
    for bad in ["x\r\ni: @b\r\n", "x\r\ni: a@\r\n", "x\r\ni:"] {
        assert!(matches!(of(bad, 0, id), Err(Found::Unclear(_))), "{bad}");
    }
    // Not on the first line, nor behind the headers, nor before the place.
    assert_eq!(of("i: a\r\n", 0, id), Err(Found::Nothing));
    assert_eq!(of("x\r\n\r\ni: a\r\n", 0, id), Err(Found::Nothing));
    assert_eq!(of("x\r\ni: a\r\n", 4, id), Err(Found::Nothing));
    assert_eq!(of(INVITE, usize::MAX, id), Err(Found::Nothing));
    assert_eq!(of(INVITE, 0, Wanted::Number(Name::CSeq)), Ok("314".into()));
    let family = Family::Ipv4;
    assert_eq!(
        of(INVITE, 0, Wanted::Via(17, family)),
        Ok("192.0.2.1:5060".into())
    );
    assert!(of(INVITE, 0, Wanted::Via(6, family)).is_err());
    assert_eq!(
        of(INVITE, 0, Wanted::Uri(Name::To, family)),
        Ok("198.51.100.9".into())
    );
}
