// SPDX-License-Identifier: GPL-2.0

//! SNMP (RFC 1157, RFC 3416): the IPv4 addresses that a message has as values,
//! and in a trap as the agent's address.

use super::ber::{Element, Malformed, Reader};
use crate::tuple::Direction;

/// Tags: universal ones of X.680, then those of RFC 1155 and RFC 3416.
mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OCTET_STRING: u8 = 0x04;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const IP_ADDRESS: u8 = 0x40;
    pub(super) const COUNTER: u8 = 0x41;
    pub(super) const UNSIGNED: u8 = 0x42;
    pub(super) const TIME_TICKS: u8 = 0x43;
    pub(super) const OPAQUE: u8 = 0x44;
    pub(super) const COUNTER64: u8 = 0x46;
    pub(super) const NO_SUCH_OBJECT: u8 = 0x80;
    pub(super) const END_OF_MIB_VIEW: u8 = 0x82;
    pub(super) const GET: u8 = 0xa0;
    pub(super) const TRAP_V1: u8 = 0xa4;
    pub(super) const REPORT: u8 = 0xa8;
}

/// A message that was read as a whole and found right.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// A version 1 trap's agent address.
    agent: Option<usize>,
    /// The variable bindings.
    bindings: Reader<'a>,
}

impl<'a> Message<'a> {
    /// Reads the payload of a datagram: a message of version 1 or 2c.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut datagram = Reader::new(payload);
        let mut message = datagram.tagged(tag::SEQUENCE)?.inside();
        // 0 is version 1, 1 is version 2c.
        if !matches!(message.tagged(tag::INTEGER)?.contents, [0 | 1]) {
            return Err(Malformed);
        }
        message.tagged(tag::OCTET_STRING)?;
        let pdu = message.element()?;
        message.end()?;
        let mut inside = pdu.inside();
        let agent = match pdu.tag {
            tag::TRAP_V1 => Some(trap(&mut inside)?),
            tag::GET..=tag::REPORT => {
                for _ in 0..3 {
                    integer(&inside.tagged(tag::INTEGER)?)?;
                }
                None
            }
            _ => return Err(Malformed),
        };
        let bindings = inside.tagged(tag::SEQUENCE)?.inside();
        inside.end()?;
        let mut check = bindings;
        while !check.is_at_end() {
            value(&mut check)?;
        }
        Ok(Message { agent, bindings })
    }

    /// Where the IPv4 addresses are, in bytes from the payload's start; each has
    /// four bytes.
    pub fn addresses(&self) -> impl Iterator<Item = usize> + 'a {
        let mut bindings = self.bindings;
        let values = core::iter::from_fn(move || next_address(&mut bindings));
        self.agent.into_iter().chain(values)
    }
}

/// The next address that is a value of bindings that were found right.
fn next_address(bindings: &mut Reader<'_>) -> Option<usize> {
    while !bindings.is_at_end() {
        let value = value(bindings).ok()?;
        if value.tag == tag::IP_ADDRESS {
            return Some(value.at);
        }
    }
    None
}

const AGENT_PORT: u16 = 161;
const TRAP_PORT: u16 = 162;

/// A datagram of these ports, in host order, and this direction can tell of its
/// sender's address: all but what comes back from where traps go, and what an
/// agent's port begins.
pub const fn is_translated(source: u16, destination: u16, direction: Direction) -> bool {
    match direction {
        Direction::Original => source != AGENT_PORT,
        Direction::Reply => destination != TRAP_PORT,
    }
}

/// Replaces the address `from` by `to` wherever the datagram's payload has it. If
/// it does; false if nothing was changed.
///
/// # Errors
///
/// [`Malformed`], with nothing changed, if it is no message of version 1 or 2c.
pub fn translate(payload: &mut [u8], from: [u8; 4], to: [u8; 4]) -> Result<bool, Malformed> {
    let Message { agent, bindings } = Message::parse(payload)?;
    let (mut at, end) = (bindings.at(), bindings.end_at());
    let mut changed = false;
    let mut replace = |payload: &mut [u8], at: usize| {
        if let Some(place) = payload.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            if *place == from {
                *place = to;
                changed = true;
            }
        }
    };
    if let Some(agent) = agent {
        replace(payload, agent);
    }
    loop {
        let mut bindings = Reader::within(payload, at, end);
        let Some(address) = next_address(&mut bindings) else {
            return Ok(changed);
        };
        at = bindings.at();
        replace(payload, address);
    }
}

/// RFC 1157, section 4.1.6: a trap of version 1 up to its bindings. Where its
/// agent's address is.
fn trap(inside: &mut Reader<'_>) -> Result<usize, Malformed> {
    non_empty(&inside.tagged(tag::OBJECT_IDENTIFIER)?)?;
    let agent = inside.tagged(tag::IP_ADDRESS)?;
    address(&agent)?;
    integer(&inside.tagged(tag::INTEGER)?)?;
    integer(&inside.tagged(tag::INTEGER)?)?;
    integer(&inside.tagged(tag::TIME_TICKS)?)?;
    Ok(agent.at)
}

/// Reads a variable binding; its value.
fn value<'a>(bindings: &mut Reader<'a>) -> Result<Element<'a>, Malformed> {
    let mut binding = bindings.tagged(tag::SEQUENCE)?.inside();
    non_empty(&binding.tagged(tag::OBJECT_IDENTIFIER)?)?;
    let value = binding.element()?;
    binding.end()?;
    match value.tag {
        tag::INTEGER | tag::COUNTER | tag::UNSIGNED | tag::TIME_TICKS | tag::COUNTER64 => {
            integer(&value)?;
        }
        tag::IP_ADDRESS => address(&value)?,
        tag::OCTET_STRING | tag::OPAQUE => {}
        tag::OBJECT_IDENTIFIER => non_empty(&value)?,
        tag::NULL | tag::NO_SUCH_OBJECT..=tag::END_OF_MIB_VIEW => {
            if !value.contents.is_empty() {
                return Err(Malformed);
            }
        }
        _ => return Err(Malformed),
    }
    Ok(value)
}

/// Numbers have up to 64 bits; unsigned ones may have a zero before them.
fn integer(element: &Element<'_>) -> Result<(), Malformed> {
    if matches!(element.contents.len(), 1..=9) {
        Ok(())
    } else {
        Err(Malformed)
    }
}

fn address(element: &Element<'_>) -> Result<(), Malformed> {
    if element.contents.len() == 4 {
        Ok(())
    } else {
        Err(Malformed)
    }
}

fn non_empty(element: &Element<'_>) -> Result<(), Malformed> {
    if element.contents.is_empty() {
        Err(Malformed)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
        let mut bytes = std::vec![tag];
        if contents.len() > 0x7f {
            bytes.push(0x82);
            bytes.extend((contents.len() as u16).to_be_bytes());
        } else {
            bytes.push(contents.len() as u8);
        }
        bytes.extend(contents);
        bytes
    }

    fn binding(tag: u8, value: &[u8]) -> Vec<u8> {
        let parts = [element(6, &[0x2b, 6, 1]), element(tag, value)].concat();
        element(0x30, &parts)
    }

    fn message(version: &[u8], pdu: &[u8]) -> Vec<u8> {
        let parts = [element(2, version), element(4, b"public"), pdu.to_vec()].concat();
        element(0x30, &parts)
    }

    fn response(bindings: &[Vec<u8>]) -> Vec<u8> {
        let numbers = [
            element(2, &[1, 2, 3, 4]),
            element(2, &[0]),
            element(2, &[0]),
        ]
        .concat();
        let pdu = [numbers, element(0x30, &bindings.concat())].concat();
        message(&[1], &element(0xa2, &pdu))
    }

    fn trap_v1(agent: &[u8]) -> Vec<u8> {
        let pdu = [
            element(6, &[0x2b, 6, 1]),
            element(0x40, agent),
            element(2, &[6]),
            element(2, &[1]),
            element(0x43, &[1, 0]),
            element(0x30, &binding(0x40, &[10, 0, 0, 2])),
        ];
        message(&[0], &element(0xa4, &pdu.concat()))
    }

    fn found(payload: &[u8]) -> Option<Vec<[u8; 4]>> {
        let message = Message::parse(payload).ok()?;
        let at = |at: usize| <[u8; 4]>::try_from(&payload[at..at + 4]).unwrap();
        Some(message.addresses().map(at).collect())
    }

    #[test]
    fn golden() {
        let payload = response(&[
            binding(0x40, &[10, 0, 0, 1]),
            binding(2, &[7]),
            binding(4, &[b'x'; 300]),
            binding(5, &[]),
            binding(0x81, &[]),
            binding(0x46, &[0; 9]),
            binding(0x40, &[192, 0, 2, 1]),
        ]);
        assert_eq!(
            found(&payload),
            Some(std::vec![[10, 0, 0, 1], [192, 0, 2, 1]])
        );
        assert_eq!(found(&response(&[])), Some(std::vec![]));
        let addresses = std::vec![[10, 0, 0, 1], [10, 0, 0, 2]];
        assert_eq!(found(&trap_v1(&[10, 0, 0, 1])), Some(addresses));
    }

    #[test]
    fn cut_at_every_byte() {
        for whole in [
            trap_v1(&[10, 0, 0, 1]),
            response(&[binding(0x40, &[10, 0, 0, 1])]),
        ] {
            for cut in 0..whole.len() {
                assert_eq!(found(&whole[..cut]), None, "{cut}");
            }
        }
    }

    /// Wherever it is, and nothing else.
    #[test]
    fn one_address_becomes_another() {
        const FROM: [u8; 4] = [10, 0, 0, 1];
        const TO: [u8; 4] = [192, 0, 2, 77];
        let bindings = |address: [u8; 4]| {
            [
                binding(0x40, &address),
                binding(4, &FROM),
                binding(0x40, &[10, 0, 0, 2]),
                binding(0x40, &address),
                binding(6, &FROM),
            ]
        };
        let mut payload = response(&bindings(FROM));
        assert_eq!(translate(&mut payload, FROM, TO), Ok(true));
        assert_eq!(payload, response(&bindings(TO)));
        assert_eq!(translate(&mut payload, FROM, TO), Ok(false));
        assert_eq!(payload, response(&bindings(TO)));

        let mut trap = trap_v1(&FROM);
        assert_eq!(translate(&mut trap, FROM, TO), Ok(true));
        assert_eq!(trap, trap_v1(&TO));

        // All or nothing: the last binding is cut.
        let mut bad = response(&bindings(FROM));
        bad.pop();
        let before = bad.clone();
        assert_eq!(translate(&mut bad, FROM, TO), Err(Malformed));
        assert_eq!(bad, before);
    }

    #[test]
    fn whose_address_is_translated() {
        use Direction::{Original, Reply};
        for (source, destination, direction, is) in [
            (40000, 161, Original, true),
            (161, 40000, Reply, true),
            (161, 40000, Original, false),
            (40000, 162, Original, true),
            (40000, 162, Reply, false),
            (162, 40000, Reply, true),
            (161, 162, Original, false),
        ] {
            assert_eq!(is_translated(source, destination, direction), is);
        }
    }

    /// CVE-2008-1673 and CVE-2019-9162.
    #[test]
    fn lengths_and_contents_that_cannot_be() {
        assert_eq!(found(&message(&[], &element(0xa2, &[]))), None);
        assert_eq!(found(&message(&[2], &response(&[]))), None);
        assert_eq!(found(&trap_v1(&[])), None);
        assert_eq!(found(&trap_v1(&[10, 0, 0])), None);
        assert_eq!(found(&trap_v1(&[10, 0, 0, 1, 2])), None);
        for contents in [&[][..], &[1, 2, 3], &[1, 2, 3, 4, 5]] {
            assert_eq!(found(&response(&[binding(0x40, contents)])), None);
        }
        let whole = response(&[binding(0x40, &[10, 0, 0, 1])]);
        for at in 0..whole.len() {
            for value in [0x80, 0x81, 0x82, 0x84, 0xff] {
                let mut bad = whole.clone();
                bad[at] = value;
                // What is found, if anything, is inside.
                found(&bad);
            }
        }
    }

    #[test]
    fn deep_nesting_is_no_message() {
        let mut payload = std::vec![];
        for _ in 0..1000 {
            payload = element(0x30, &payload);
        }
        assert_eq!(found(&payload), None);
    }
}
