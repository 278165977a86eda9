// SPDX-License-Identifier: GPL-2.0

//! What a flow changes in its packets: addresses, ports, TTL, and the checksums
//! over them.
//!
//! The addresses and ports of a direction are always the same, and so is by how
//! much checksums change (RFC 1624): that is found when the flow begins.

use super::key::Key;
use crate::{
    be::Be16,
    checksum::fold,
    l4::number,
    nat::rewrite::Form,
    tuple::{Address, Family},
};

/// By how much translation changes the checksums of one direction's packets:
/// ones' complement sums, host order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sums {
    addresses: u16,
    ports: u16,
}

fn difference(old: u32, new: u32) -> u64 {
    u64::from(!old).wrapping_add(u64::from(new))
}

fn addresses(old: Address, new: Address) -> u64 {
    let (Address(old), Address(new)) = (old, new);
    old.iter().zip(&new).fold(0u64, |sum, (old, new)| {
        sum.wrapping_add(difference(old.get(), new.get()))
    })
}

impl Sums {
    /// Of packets with the key `from`, the answers to which have the key `answer`.
    pub fn new(from: &Key, answer: &Key) -> Self {
        let ([s, d], [answer_s, answer_d]) = (from.ports(), answer.ports());
        let sum = addresses(from.source(), answer.destination())
            .wrapping_add(addresses(from.destination(), answer.source()));
        Self {
            addresses: fold(sum),
            ports: fold(
                difference(s.get().into(), answer_d.get().into())
                    .wrapping_add(difference(d.get().into(), answer_s.get().into())),
            ),
        }
    }

    /// As one word, to be kept.
    #[inline]
    pub const fn pack(self) -> u32 {
        ((self.addresses as u32) << 16) | self.ports as u32
    }

    /// From such a word.
    #[inline]
    pub const fn unpack(word: u32) -> Self {
        Self {
            addresses: (word >> 16) as u16,
            ports: word as u16,
        }
    }
}

/// The bytes are fewer than the headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Short;

/// One hop less.
const HOP: u64 = !0x0100u16 as u64;

#[inline(always)]
fn add(field: &mut [u8; 2], difference: u64) {
    let sum = u64::from(!u16::from_be_bytes(*field)).wrapping_add(difference);
    *field = (!fold(sum)).to_be_bytes();
}

/// Sends a packet on: its network header begins at `bytes`, and its transport
/// header is `transport` bytes behind. One hop is taken, and if `nat` says so,
/// addresses and ports become those of the key `answer` turned round.
///
/// # Errors
///
/// [`Short`], with the packet half changed: it is to be dropped.
#[inline(always)]
pub fn forward(
    bytes: &mut [u8],
    transport: usize,
    answer: &Key,
    nat: Option<Sums>,
    form: Form,
) -> Result<(), Short> {
    let (network, rest) = bytes.split_at_mut_checked(transport).ok_or(Short)?;
    let protocol = answer.protocol();
    match answer.family() {
        Some(Family::Ipv4) => {
            let [_, _, _, _, _, _, _, _, ttl, _, c0, c1, addresses @ ..] =
                network.first_chunk_mut::<20>().ok_or(Short)?;
            *ttl = ttl.wrapping_sub(1);
            let mut check = [*c0, *c1];
            let mut change = HOP;
            if let Some(sums) = nat {
                change = change.wrapping_add(sums.addresses.into());
                let Address([source, ..]) = answer.destination();
                let Address([destination, ..]) = answer.source();
                let (from, to) = addresses.split_at_mut(4);
                put(from, source.to_bytes());
                put(to, destination.to_bytes());
            }
            add(&mut check, change);
            let [new0, new1] = check;
            (*c0, *c1) = (new0, new1);
        }
        Some(Family::Ipv6) => {
            let [_, _, _, _, _, _, _, hops, addresses @ ..] =
                network.first_chunk_mut::<40>().ok_or(Short)?;
            *hops = hops.wrapping_sub(1);
            if nat.is_some() {
                let (from, to) = addresses.split_at_mut(16);
                put_v6(from, answer.destination());
                put_v6(to, answer.source());
            }
        }
        None => return Err(Short),
    }
    match nat {
        Some(sums) => set_transport(rest, protocol, answer, sums, form),
        None => Ok(()),
    }
}

#[inline(always)]
fn put(to: &mut [u8], word: [u8; 4]) {
    if let Some(to) = to.first_chunk_mut::<4>() {
        *to = word;
    }
}

#[inline(always)]
fn put_v6(to: &mut [u8], Address(words): Address) {
    for (to, word) in to.chunks_exact_mut(4).zip(words) {
        put(to, word.to_bytes());
    }
}

#[inline(always)]
fn set_transport(
    bytes: &mut [u8],
    protocol: u8,
    answer: &Key,
    sums: Sums,
    form: Form,
) -> Result<(), Short> {
    let [answer_source, answer_destination] = answer.ports();
    let ([s0, s1], [d0, d1]) = (answer_destination.to_bytes(), answer_source.to_bytes());
    let field = match protocol {
        number::TCP => {
            let [p0, p1, p2, p3, _, _, _, _, _, _, _, _, _, _, _, _, check @ .., _, _] =
                bytes.first_chunk_mut::<20>().ok_or(Short)?;
            (*p0, *p1, *p2, *p3) = (s0, s1, d0, d1);
            check
        }
        number::UDP => {
            let [p0, p1, p2, p3, _, _, check @ ..] = bytes.first_chunk_mut::<8>().ok_or(Short)?;
            (*p0, *p1, *p2, *p3) = (s0, s1, d0, d1);
            if *check == [0, 0] && form == Form::Full {
                return Ok(());
            }
            check
        }
        _ => return Ok(()),
    };
    match form {
        Form::Full => {
            let change = u64::from(sums.addresses).wrapping_add(sums.ports.into());
            add(field, change);
        }
        // The rest is summed up later.
        Form::Pseudo => {
            let sum = u64::from(u16::from_be_bytes(*field)).wrapping_add(sums.addresses.into());
            *field = fold(sum).to_be_bytes();
        }
    }
    if protocol == number::UDP && *field == [0, 0] {
        *field = [0xff; 2];
    }
    Ok(())
}

/// Sets one port in a transport header, which `bytes` begin with, and its
/// checksum. Nothing is done to protocols without ports.
///
/// # Errors
///
/// [`Short`], with nothing changed.
pub fn set_port(
    bytes: &mut [u8],
    protocol: u8,
    source: bool,
    port: Be16,
    form: Form,
) -> Result<(), Short> {
    let len = match protocol {
        number::TCP => 20,
        number::UDP => 8,
        _ => return Ok(()),
    };
    let bytes = bytes.get_mut(..len).ok_or(Short)?;
    let (ports, rest) = bytes.split_at_mut(4);
    let field = match source {
        true => ports.first_chunk_mut::<2>(),
        false => ports.last_chunk_mut::<2>(),
    };
    let field = field.ok_or(Short)?;
    let old = u16::from_be_bytes(*field);
    *field = port.to_bytes();
    // TCP's is 16 bytes from the start, UDP's 6.
    let check = match protocol {
        number::TCP => rest.get_mut(12..14),
        _ => rest.get_mut(2..4),
    };
    let check = check
        .and_then(|check| check.first_chunk_mut::<2>())
        .ok_or(Short)?;
    if form == Form::Pseudo || (protocol == number::UDP && *check == [0, 0]) {
        return Ok(());
    }
    add(check, difference(old.into(), port.get().into()));
    if protocol == number::UDP && *check == [0, 0] {
        *check = [0xff; 2];
    }
    Ok(())
}

#[cfg(test)]
mod tests;
