// SPDX-License-Identifier: GPL-2.0

//! SIP: a datagram, or a segment with several messages; what it means, and how
//! it is translated.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    alg::{
        edits::{Edits, Slot},
        sip::{
            find::{find, Found, Wanted},
            message::{Message, Name},
            sdp::Session,
            state::{bindings, forced_port, step, State},
            stream::{skip_blank, Messages, Open},
            streams,
            translate::{self, View, MOST, ROOM},
            Endpoint,
        },
        Span,
    },
    be::{Be16, Be32},
    l4::number,
    tuple::{Address, Family},
};

fn endpoint(family: Family, last: u32, port: u16) -> Endpoint {
    let address = match family {
        Family::Ipv4 => Address::v4(Be32::new(0xc000_0200 | last)),
        Family::Ipv6 => Address([
            Be32::new(0x2001_0db8),
            Be32::new(0),
            Be32::new(0),
            Be32::new(last),
        ]),
    };
    Endpoint {
        address,
        port: Be16::new(port),
    }
}

/// The sender is 192.0.2.1 or 2001:db8::1; it is shown as what is longer, or
/// shorter.
fn view(choice: u8) -> View {
    let family = if choice & 1 == 0 {
        Family::Ipv4
    } else {
        Family::Ipv6
    };
    let protocol = if choice & 2 == 0 {
        number::UDP
    } else {
        number::TCP
    };
    let outside = match choice & 4 {
        0 => endpoint(family, 211, 65535),
        _ => Endpoint {
            address: Address::v4(Be32::new(0x0101_0101)),
            port: Be16::new(1024),
        },
    };
    let server = endpoint(family, 9, 5060);
    View {
        family,
        protocol,
        source: endpoint(family, 1, 5060),
        destination: server,
        new_source: outside,
        new_destination: server,
        called: server,
    }
}

/// Says what has to change in a message, and checks that it is in order.
fn translate(message: &Message<'_>, view: &View, changes: &mut Edits<'_>) -> Option<()> {
    if let Some(session) = Session::of(message, view.family) {
        let mut port = 40000;
        streams::each(&session, Some((view, &mut *changes)), |media| {
            assert!(media.port >= 1024);
            port += 2;
            Ok::<_, ()>(Endpoint {
                address: view.new_source.address,
                port: Be16::new(port),
            })
        })
        .ok()?;
    }
    translate::headers(message, view, changes).ok()?;
    if let Some(body) = message.body() {
        translate::content_length(message, body.start, changes).ok()?;
    }
    Some(())
}

fn apply(payload: &[u8], changes: &Edits<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut behind = 0;
    for (span, new) in changes.iter() {
        assert!(span.start >= behind);
        out.extend_from_slice(&payload[behind..span.start]);
        out.extend_from_slice(new);
        behind = span.start + span.len;
    }
    out.extend_from_slice(&payload[behind..]);
    out
}

fn messages(payload: &[u8], view: &View) -> Vec<Span> {
    if view.protocol == number::TCP {
        return Messages::new(payload, 0, &Open::default()).collect();
    }
    let at = skip_blank(payload, 0).min(payload.len());
    vec![Span::between(at, payload.len())]
}

fn target(payload: &[u8], choice: u8) {
    let view = view(choice);
    let (mut slots, mut room) = ([Slot::default(); MOST], [0; ROOM]);
    let mut changes = Edits::new(&mut slots, &mut room);
    let spans = messages(payload, &view);
    let mut behind = 0;
    let mut starts = Vec::new();
    for span in &spans {
        assert!(span.start >= behind);
        behind = span.start + span.len;
        let Ok(message) = Message::parse(&payload[..behind], span.start) else {
            continue;
        };
        starts.push(message.start);
        let _ = step(&message, &State::default());
        let _ = forced_port(&message, &view.source, view.family);
        for binding in bindings(&message, view.source.address, view.protocol, view.family) {
            let Ok(binding) = binding else { break };
            assert!(binding.endpoint.port.get() >= 1024);
        }
        if translate(&message, &view, &mut changes).is_none() {
            return;
        }
    }
    for wanted in [
        Wanted::CallId,
        Wanted::Number(Name::CSeq),
        Wanted::Uri(Name::Contact, view.family),
        Wanted::Via(view.protocol, view.family),
    ] {
        for from in [0, payload.len() / 2] {
            match find(payload, from, wanted) {
                Found::Nothing => {}
                Found::Unclear(at) => assert!(at > from && at <= payload.len()),
                Found::At(span) => {
                    assert!(span.start > from && span.start + span.len <= payload.len())
                }
            }
        }
    }
    // Cut in two, the second part is read at most as far as it goes.
    let half = usize::from(choice).min(payload.len());
    let (first, second) = payload.split_at(half);
    let mut before = Messages::new(first, 7, &Open::default());
    for _ in before.by_ref() {}
    let open = before.open().unwrap_or_default();
    for span in Messages::new(second, 7u32.wrapping_add(half as u32), &open) {
        assert!(span.start + span.len <= second.len());
    }
    // What comes out has as many messages, and nothing of the sender that would
    // have to change.
    let out = apply(payload, &changes);
    let spans_after = messages(&out, &view);
    assert_eq!(spans.len(), spans_after.len());
    let (mut slots, mut room) = ([Slot::default(); MOST], [0; ROOM]);
    let mut again = Edits::new(&mut slots, &mut room);
    let mut kinds = starts.iter();
    for span in &spans_after {
        let end = span.start + span.len;
        let Ok(message) = Message::parse(&out[..end], span.start) else {
            continue;
        };
        let before = kinds.next().expect("no more messages than before");
        assert_eq!(
            core::mem::discriminant(before),
            core::mem::discriminant(&message.start)
        );
        translate::headers(&message, &view, &mut again).expect("room");
    }
    assert_eq!(again.count(), 0);
}

fuzz!(target);
