// SPDX-License-Identifier: GPL-2.0

//! Messages in a TCP stream: where the next one begins (RFC 3261, section
//! 18.3).

use super::message::{Message, Name};

/// Where a message in a segment ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame {
    /// It is whole: where what is behind it begins.
    Whole(usize),
    /// It goes on in the next segment, or does not say how long it is.
    Unknown,
}

/// The end of the message that begins at `at` in a segment's payload.
pub fn frame(payload: &[u8], at: usize) -> Frame {
    let end = || {
        let message = Message::parse(payload, at).ok()?;
        let length = message.number(Name::ContentLength)?;
        let body = message.body()?;
        let end = body.start.checked_add(usize::try_from(length).ok()?)?;
        (end <= payload.len()).then_some(end)
    };
    end().map_or(Frame::Unknown, Frame::Whole)
}
