// SPDX-License-Identifier: GPL-2.0

//! Q.931's frame of H.225.0's call signalling: a message of information
//! elements, one of which holds the rest.

const DISCRIMINATOR: u8 = 8;
/// The element User-User, whose length has two octets.
const USER_USER: u8 = 0x7e;
/// Elements with this bit are one octet.
const SINGLE: u8 = 0x80;

/// What the element User-User of a message holds, and where that begins, in
/// octets. None if it is no such message, is cut, or has none.
pub fn user_information(message: &[u8]) -> Option<(usize, &[u8])> {
    let (&[discriminator, reference], rest) = message.split_first_chunk()?;
    if discriminator != DISCRIMINATOR {
        return None;
    }
    // The call reference, and the type, which H.225.0 says again.
    let mut rest = rest.get(usize::from(reference)..)?.get(1..)?;
    loop {
        let (&element, behind) = rest.split_first()?;
        if element == USER_USER {
            let (len, behind) = behind.split_first_chunk()?;
            let len = usize::from(u16::from_be_bytes(*len));
            // Another discriminator stands before it.
            let inside = behind.get(..len)?.get(1..)?;
            let before = message.len().checked_sub(behind.len())?.checked_add(1)?;
            return (!inside.is_empty()).then_some((before, inside));
        }
        rest = if element & SINGLE != 0 {
            behind
        } else {
            let (&len, behind) = behind.split_first()?;
            behind.get(usize::from(len)..)?
        };
    }
}
