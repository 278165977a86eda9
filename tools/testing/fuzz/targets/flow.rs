// SPDX-License-Identifier: GPL-2.0

//! A packet of any bytes at a device's ingress, of which more may exist than are
//! at hand; and what is sent on of it.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    flow::{
        ingress::{self, Arrival, Stop},
        key::{Encap, Key, Parts},
        translate::{self, Sums},
    },
    nat::rewrite::Form,
    tuple::Family,
};

fn target(bytes: &[u8], choice: u8) {
    let family = if choice & 1 == 0 {
        Family::Ipv4
    } else {
        Family::Ipv6
    };
    let plain = match family {
        Family::Ipv4 => ingress::IPV4,
        Family::Ipv6 => ingress::IPV6,
    };
    let arrival = Arrival {
        device: 1,
        protocol: [plain, ingress::VLAN, ingress::PPPOE, plain][usize::from(choice >> 1 & 3)],
        tag: (choice & 8 != 0).then(Encap::default),
        several: choice & 16 != 0,
    };
    let len = bytes.len() as u32 + u32::from(choice >> 5);
    let _ = ingress::protocol(bytes, len, &arrival);
    let packet = match ingress::read(family, bytes, len, &arrival) {
        Ok(packet) => packet,
        Err(Stop::Pull(needed)) => {
            assert!(needed as usize > bytes.len() && needed <= len);
            return;
        }
        Err(Stop::Pass) => return,
    };
    assert!(packet.network() < packet.transport && packet.transport < packet.headers);
    assert!(packet.headers as usize <= bytes.len() && packet.headers <= packet.end);
    assert!(packet.end <= len);
    let parts = packet.key.parts().expect("a key of a family");
    let [source, destination] = parts.ports;
    let answer = Key::new(&Parts {
        source: parts.source,
        destination: parts.destination,
        ports: [source, destination],
        ..parts
    });
    let mut changed = bytes.to_vec();
    let network = packet.network() as usize;
    let transport = packet.transport as usize - network;
    let sums = Some(Sums::new(&packet.key, &answer));
    let result = translate::forward(
        &mut changed[network..],
        transport,
        &answer,
        sums,
        Form::Full,
    );
    assert_eq!(result, Ok(()));
}

fuzz!(target);
