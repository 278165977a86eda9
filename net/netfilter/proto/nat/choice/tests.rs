// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::{
    be::Be32,
    nat::ids::MAX_ATTEMPTS,
    tuple::{Address, Destination, Family},
};
use std::{boxed::Box, vec::Vec};

const CLIENT: u32 = 0x0a00_0001;
const ROUTER: u32 = 0xc000_0201;
const SERVER: u32 = 0xc633_6401;

fn v4(word: u32) -> Address {
    Address::v4(Be32::new(word))
}

fn tuple(protocol: u8, src_id: u16, dst_id: u16) -> Tuple {
    Tuple {
        src: Source {
            address: v4(CLIENT),
            id: Be16::new(src_id),
            l3num: Family::Ipv4.number(),
        },
        dst: Destination {
            address: v4(SERVER),
            id: Be16::new(dst_id),
            protocol,
            direction: 0,
        },
    }
}

fn echo(id: u16) -> Tuple {
    tuple(number::ICMP, id, 0x0800)
}

/// Others, and what was asked of them.
struct Around {
    taken: Box<dyn Fn(&Tuple) -> bool>,
    harder: Box<dyn Fn(&Tuple) -> bool>,
    unchanged: bool,
    known: Option<Source>,
    serves: Vec<u16>,
    random: u32,
    asked: u32,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            taken: Box::new(|_| false),
            harder: Box::new(|_| true),
            unchanged: false,
            known: None,
            serves: Vec::new(),
            random: 1,
            asked: 0,
        }
    }
}

impl Surroundings for Around {
    fn taken(&mut self, tuple: &Tuple) -> bool {
        self.asked += 1;
        (self.taken)(tuple)
    }

    fn taken_unchanged(&mut self, _: &Tuple) -> bool {
        self.asked += 1;
        self.unchanged
    }

    fn taken_harder(&mut self, tuple: &Tuple) -> bool {
        self.asked += 1;
        (self.taken)(tuple) && (self.harder)(tuple)
    }

    fn known_source(&mut self, _: &Tuple, range: &Range) -> Option<Source> {
        self.known.filter(|src| {
            let mut tuple = tuple(number::UDP, 0, 0);
            tuple.src = *src;
            range.holds(&tuple)
        })
    }

    fn serves(&mut self, tuple: &Tuple) -> bool {
        assert_eq!(tuple.src.address, v4(ROUTER));
        self.serves.contains(&tuple.src.id.get())
    }

    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}

fn request<'a>(tuple: &'a Tuple, range: &'a Range, manip: Manip) -> Request<'a> {
    Request {
        tuple,
        range,
        manip,
        expected: false,
        zone: 0,
    }
}

fn source(tuple: &Tuple, range: &Range, around: &mut Around) -> Result<Choice, Failed> {
    choose(&request(tuple, range, Manip::Source), around)
}

fn destination(tuple: &Tuple, range: &Range, around: &mut Around) -> Choice {
    choose(&request(tuple, range, Manip::Destination), around).unwrap()
}

fn ports(first: u16, last: u16) -> Range {
    Range {
        max_id: Be16::new(last),
        ..Range::exactly(v4(ROUTER), Be16::new(first))
    }
}

fn with(range: Range, flags: Flags) -> Range {
    Range {
        flags: range.flags.with(flags),
        ..range
    }
}

/// The usual case: another address, the same port, one question.
#[test]
fn keeps_the_port_where_it_can() {
    for (protocol, dst_id) in [(6, 80), (17, 53), (132, 5060), (1, 0x0800)] {
        let own = tuple(protocol, 4000, dst_id);
        let mut around = Around::default();
        let choice = source(&own, &Range::to(v4(ROUTER)), &mut around).unwrap();
        let mut expected = own;
        expected.src.address = v4(ROUTER);
        assert_eq!(
            (choice.tuple, choice.attempts, around.asked),
            (expected, 1, 1)
        );
    }
}

/// What a rule allows stays; if it is taken, it is asked for once only.
#[test]
fn keeps_what_it_is() {
    let own = tuple(number::UDP, 4000, 53);
    let range = Range::to(v4(CLIENT));
    let choice = source(&own, &range, &mut Around::default()).unwrap();
    assert_eq!(choice.tuple, own);

    let mut around = Around {
        unchanged: true,
        ..Around::default()
    };
    let choice = source(&own, &range, &mut around).unwrap();
    assert_eq!(choice.tuple.src.address, v4(CLIENT));
    assert_ne!(choice.tuple.src.id, own.src.id);
    assert_eq!(choice.attempts, 2);
}

#[test]
fn privileged_ports_become_privileged_ones() {
    for (port, first, last) in [(22, 1, 511), (700, 600, 1023), (5000, 1024, 65535)] {
        let own = tuple(number::TCP, port, 80);
        for seed in 1..50 {
            let mut around = Around {
                taken: Box::new(move |tuple| tuple.src.id.get() == port),
                random: seed,
                ..Around::default()
            };
            let choice = source(&own, &Range::to(v4(ROUTER)), &mut around).unwrap();
            assert!((first..=last).contains(&choice.tuple.src.id.get()));
        }
    }
}

#[test]
fn the_same_source_becomes_the_same_again() {
    let own = tuple(number::UDP, 4000, 53);
    let known = Source {
        address: v4(ROUTER),
        id: Be16::new(7777),
        ..own.src
    };
    let around = || Around {
        known: Some(known),
        ..Around::default()
    };
    let range = Range::to(v4(ROUTER));
    assert_eq!(
        source(&own, &range, &mut around()).unwrap().tuple.src,
        known
    );
    // Not if it is not allowed, or is to be drawn.
    let choice = source(&own, &ports(100, 200), &mut around()).unwrap();
    assert!((100..=200).contains(&choice.tuple.src.id.get()));
    let random = with(range, Flags::PROTO_RANDOM);
    assert_ne!(
        source(&own, &random, &mut around()).unwrap().tuple.src,
        known
    );
    // Nor if that is taken.
    let mut taken = Around {
        taken: Box::new(|tuple| tuple.src.id.get() == 7777),
        ..around()
    };
    assert_eq!(
        source(&own, &range, &mut taken).unwrap().tuple.src.id,
        own.src.id
    );
}

/// A rule with one port is obeyed; one that is closed is thrown out for it.
#[test]
fn one_port_only() {
    let own = tuple(number::TCP, 4000, 80);
    let all = || Around {
        taken: Box::new(|_| true),
        ..Around::default()
    };
    for range in [ports(4000, 4000), ports(99, 99)] {
        let choice = source(&own, &range, &mut all()).unwrap();
        assert_eq!(choice.tuple.src.id, range.min_id);
        let choice = destination(&own, &range, &mut all());
        assert_eq!(choice.tuple.dst.id, range.min_id);
    }
}

/// Without ports in the rule the destination's stays, and nobody is asked.
#[test]
fn destination_ports_stay() {
    for own in [tuple(number::TCP, 4000, 80), echo(5), tuple(50, 0, 0)] {
        let mut around = Around {
            taken: Box::new(|_| true),
            ..Around::default()
        };
        let choice = destination(&own, &Range::to(v4(ROUTER)), &mut around);
        let mut expected = own;
        expected.dst.address = v4(ROUTER);
        assert_eq!((choice.tuple, around.asked), (expected, 0));
    }
}

/// Destination port 80 under a rule; those below `free` are taken.
#[test]
fn destination_port_ranges() {
    let own = tuple(number::TCP, 4000, 80);
    for (first, last, free, expected) in [
        (8000, 8009, 0, 8000),
        (8000, 8009, 8004, 8004),
        (8000, 8009, 9000, 8000),
        (70, 90, 0, 80),
        (70, 90, 81, 81),
    ] {
        let mut around = Around {
            taken: Box::new(move |tuple| tuple.dst.id.get() < free),
            ..Around::default()
        };
        let choice = destination(&own, &ports(first, last), &mut around);
        assert_eq!(choice.tuple.dst.id.get(), expected, "{first} {free}");
    }
    let random = with(ports(8000, 8009), Flags::PROTO_RANDOM);
    let mut around = Around {
        taken: Box::new(|tuple| tuple.dst.id.get() != 8003),
        ..Around::default()
    };
    assert_eq!(
        destination(&own, &random, &mut around).tuple.dst.id.get(),
        8003
    );
}

/// A range of ports onto another one: each has its own, for either side.
#[test]
fn ports_shifted() {
    let range = Range {
        base_id: Be16::new(5000),
        ..with(ports(7000, 7099), Flags::PROTO_OFFSET)
    };
    for (port, expected) in [(5000, 7000), (5042, 7042), (5099, 7099), (5100, 7000)] {
        let own = tuple(number::TCP, 4000, port);
        let mut all = Around {
            taken: Box::new(|_| true),
            ..Around::default()
        };
        let choice = destination(&own, &range, &mut all);
        assert_eq!((choice.tuple.dst.id.get(), all.asked), (expected, 0));
        let own = tuple(number::TCP, port, 80);
        let choice = source(&own, &range, &mut Around::default()).unwrap();
        assert_eq!(choice.tuple.src.id.get(), expected);
    }
}

#[test]
fn exhaustion_is_told() {
    for (range, own) in [
        (ports(100, 115), tuple(number::UDP, 4000, 53)),
        (ports(100, 5000), tuple(number::TCP, 4000, 80)),
        (Range::to(v4(ROUTER)), echo(1)),
    ] {
        let mut around = Around {
            taken: Box::new(|_| true),
            ..Around::default()
        };
        let Err(Failed::Exhausted { attempts }) = source(&own, &range, &mut around) else {
            panic!("found one");
        };
        assert_eq!(attempts, around.asked);
        assert!(attempts <= MAX_ATTEMPTS, "{attempts}");
    }
}

#[test]
fn closed_connections_make_room() {
    let own = tuple(number::TCP, 4000, 80);
    let mut around = Around {
        taken: Box::new(|_| true),
        harder: Box::new(|tuple| tuple.src.id.get() != 107),
        ..Around::default()
    };
    let choice = source(&own, &ports(100, 115), &mut around).unwrap();
    assert_eq!(choice.tuple.src.id.get(), 107);
}

/// The port of a service is not given to who is moved to its address.
#[test]
fn services_are_not_shadowed() {
    let around = || Around {
        serves: std::vec![1405, 4000],
        ..Around::default()
    };
    for protocol in [number::TCP, number::UDP, number::SCTP] {
        let own = tuple(protocol, 1405, 41404);
        let choice = source(&own, &Range::to(v4(ROUTER)), &mut around()).unwrap();
        assert_ne!(choice.tuple.src.id.get(), 1405);
        // Unless the rule says so.
        let choice = source(&own, &ports(1405, 1405), &mut around()).unwrap();
        assert_eq!(choice.tuple.src.id.get(), 1405);
        let range = with(ports(1400, 1405), Flags::PROTO_RANDOM);
        for random in 1..40 {
            let mut around = Around { random, ..around() };
            let choice = source(&own, &range, &mut around).unwrap();
            assert_ne!(choice.tuple.src.id.get(), 1405);
        }
    }
    // The router's own connections, and what has no ports.
    let mut local = tuple(number::UDP, 1405, 53);
    local.src.address = v4(ROUTER);
    let choice = source(&local, &Range::to(v4(ROUTER)), &mut around()).unwrap();
    assert_eq!(choice.tuple, local);
    let choice = source(&echo(1405), &Range::to(v4(ROUTER)), &mut around()).unwrap();
    assert_eq!(choice.tuple.src.id.get(), 1405);
}

/// Keys of GRE are PPTP's; other protocols, and neighbours', have nothing to
/// choose.
#[test]
fn protocols_without_ids() {
    let all = || Around {
        taken: Box::new(|_| true),
        unchanged: true,
        ..Around::default()
    };
    let range = Range::to(v4(ROUTER));
    for own in [
        tuple(50, 0, 0),
        tuple(number::GRE, 0, 0),
        tuple(number::ICMPV6, 3, 0x8b00),
    ] {
        let choice = source(&own, &range, &mut all()).unwrap();
        let mut expected = own;
        expected.src.address = v4(ROUTER);
        assert_eq!(choice.tuple, expected);
    }
    let own = tuple(number::GRE, 5, 6);
    let request = Request {
        expected: true,
        ..request(&own, &range, Manip::Source)
    };
    let mut around = Around {
        taken: Box::new(|tuple| tuple.src.id.get() == 5),
        ..Around::default()
    };
    let choice = choose(&request, &mut around).unwrap();
    assert!(choice.tuple.src.id.get() != 5 && choice.tuple.src.id.get() != 0);
}
