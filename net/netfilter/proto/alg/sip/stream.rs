// SPDX-License-Identifier: GPL-2.0

//! Messages in a TCP stream: where the next one begins (RFC 3261, section
//! 18.3).
//!
//! A message that is not whole within a segment is passed over, however it was
//! cut: what is in the middle of it must not be read as another message, which
//! somebody else may have put there.

use super::{
    super::{
        room::{Kept, Reader, Writer},
        text::Cursor,
        Span,
    },
    message::{is_token, Headers, Message, Name},
};

/// Where a message in a segment ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame {
    /// It is whole: where what is behind it begins.
    Whole(usize),
    /// It goes on in the next segment: where it ends, from the same start.
    Open(usize),
    /// Its headers go on in the next segment: its length, if it said so already.
    Cut(Option<u32>),
    /// It does not say how long it is, or it is none.
    Unknown,
}

/// A message that is longer is not waited for.
const LONGEST: usize = 1 << 20;

/// The end of the message that begins at `at` in a segment's payload.
pub fn frame(payload: &[u8], at: usize) -> Frame {
    match Message::parse(payload, at) {
        Ok(message) => match frame_headers(message.headers(), None, payload.len()) {
            Frame::Open(end) if end.saturating_sub(at) > LONGEST => Frame::Unknown,
            frame => frame,
        },
        Err(_) if is_start(payload, at) => Frame::Cut(None),
        Err(_) => Frame::Unknown,
    }
}

/// What these headers say, if the body's length is not known already.
fn frame_headers(mut headers: Headers<'_>, known: Option<u32>, end: usize) -> Frame {
    let payload = headers.payload();
    let mut length = known;
    for header in headers.by_ref() {
        if header.name != Name::ContentLength || length.is_some() {
            continue;
        }
        let behind = header.value.start.saturating_add(header.value.len);
        let behind = payload.get(behind..).unwrap_or(&[]);
        if !behind.contains(&b'\n') {
            // More digits may follow.
            return Frame::Cut(None);
        }
        length = number(payload, &header.value);
        if length.is_none() {
            return Frame::Unknown;
        }
    }
    let Some(body) = headers.body() else {
        return Frame::Cut(length);
    };
    let whole = length
        .and_then(|length| usize::try_from(length).ok())
        .and_then(|length| body.start.checked_add(length));
    match whole {
        Some(whole) if whole <= end => Frame::Whole(whole),
        Some(whole) => Frame::Open(whole),
        None => Frame::Unknown,
    }
}

fn number(payload: &[u8], value: &Span) -> Option<u32> {
    let text = value.of(payload)?;
    Cursor::new(text).decimal_at_end(u32::MAX).ok()
}

/// A first line may begin here, and go on in the next segment.
fn is_start(payload: &[u8], at: usize) -> bool {
    let mut cursor = Cursor::new(payload);
    cursor.skip(at);
    let word = cursor.take_while(|byte| is_token(byte) || byte == b'/');
    !word.is_empty() && matches!(cursor.rest(), [] | [b' ', ..]) && !cursor.rest().contains(&b'\n')
}

/// What stands between messages (RFC 3261, section 7.5).
pub fn skip_blank(payload: &[u8], at: usize) -> usize {
    let rest = payload.get(at..).unwrap_or(&[]);
    let blank = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
    at.saturating_add(rest.iter().take_while(blank).count())
}

/// The whole messages of a segment, one after the other; when there are no more,
/// [`open`](Self::open) is the one that goes on in the next segment.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    payload: &'a [u8],
    seq: u32,
    at: usize,
    open: Option<Open>,
}

impl<'a> Messages<'a> {
    /// Of a segment that begins at the sequence number `seq`, where `before` is
    /// the last message that was not whole.
    pub fn new(payload: &'a [u8], seq: u32, before: &Open) -> Self {
        let mut messages = Messages {
            payload,
            seq,
            at: 0,
            open: None,
        };
        if before.line == Line::None {
            messages.at = before.covers(seq);
        } else if before.end == seq {
            messages.go_on(before);
        }
        messages
    }

    /// See [`Messages`].
    pub const fn open(&self) -> Option<Open> {
        self.open
    }

    /// The segment begins in the middle of headers.
    fn go_on(&mut self, before: &Open) {
        if before.line == Line::Ended && self.payload == b"\r" {
            // Half of what ends them.
            self.at = self.payload.len();
            self.open = Some(Open {
                end: before.end.wrapping_add(1),
                ..*before
            });
            return;
        }
        let headers = match before.line {
            Line::Ended => Headers::at(self.payload, 0),
            _ => Headers::behind(self.payload, 0),
        };
        let known = (before.word != UNKNOWN).then_some(before.word);
        let frame = frame_headers(headers, known, self.payload.len());
        self.settle(frame, 0);
    }

    /// A message that begins at `at` is `frame`; where, if it is whole.
    fn settle(&mut self, frame: Frame, at: usize) -> Option<Span> {
        self.at = self.payload.len();
        match frame {
            Frame::Whole(end) => {
                self.at = end;
                return Some(Span::between(at, end));
            }
            Frame::Open(end) => {
                self.open = Some(Open {
                    end: self.seq.wrapping_add(end as u32),
                    word: self.seq.wrapping_add(at as u32),
                    line: Line::None,
                });
            }
            Frame::Cut(length) => {
                let ended = self.payload.ends_with(b"\n") || self.payload.ends_with(b"\n\r");
                self.open = Some(Open {
                    end: self.seq.wrapping_add(self.payload.len() as u32),
                    word: length.unwrap_or(UNKNOWN),
                    line: if ended { Line::Ended } else { Line::Middle },
                });
            }
            Frame::Unknown => {}
        }
        None
    }
}

impl Iterator for Messages<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let at = skip_blank(self.payload, self.at);
        if at >= self.payload.len() {
            return None;
        }
        self.settle(frame(self.payload, at), at)
    }
}

/// A length that is not known.
const UNKNOWN: u32 = u32::MAX;

/// Where headers were cut.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Line {
    /// They were not: it was behind them.
    #[default]
    None,
    /// In the middle of a line.
    Middle,
    /// Between lines.
    Ended,
}

/// The message of a direction that last went on beyond a segment's end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Open {
    /// The sequence number behind it, or behind that segment if its headers
    /// were cut.
    end: u32,
    /// The sequence number at which it begins, or the length of its body, if its
    /// headers were cut.
    word: u32,
    line: Line,
}

impl Open {
    /// How much of a segment that begins at `seq` belongs to the message, bytes.
    /// None of one that begins where it does: that is it once more.
    const fn covers(&self, seq: u32) -> usize {
        let len = self.end.wrapping_sub(self.word);
        let at = seq.wrapping_sub(self.word);
        if at == 0 || at >= len {
            0
        } else {
            len.wrapping_sub(at) as usize
        }
    }
}

impl Kept for Open {
    fn load(reader: &mut Reader<'_>) -> Self {
        Open {
            end: reader.word(),
            word: reader.word(),
            line: match reader.byte() {
                0 => Line::None,
                1 => Line::Middle,
                _ => Line::Ended,
            },
        }
    }

    fn store(&self, writer: &mut Writer<'_>) {
        writer.word(self.end);
        writer.word(self.word);
        writer.byte(self.line as u8);
    }
}
