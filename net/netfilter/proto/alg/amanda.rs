// SPDX-License-Identifier: GPL-2.0

//! Amanda: the host that is backed up answers by UDP to which of its TCP ports
//! the server shall connect.
//!
//! `CONNECT DATA 1024 MESG 1025 INDEX 1026`, on a line of its own.

use super::{
    text::{Buffer, Cursor, Full},
    Span,
};

/// The streams that can be announced.
const STREAMS: [&[u8]; 4] = [b"DATA ", b"MESG ", b"INDEX ", b"STATE "];

/// The most ports that a message announces.
pub const MOST: usize = STREAMS.len();

/// The longest text that [`write`] gives.
pub const LONGEST: usize = "65535".len();

/// An announced port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// The number in the payload.
    pub span: Span,
    /// The TCP port, host order; not 0.
    pub port: u16,
}

/// The ports that a reply announces, in the order in which they stand there,
/// one for each stream. What is no port ends the list.
pub fn announcements(payload: &[u8]) -> Announcements<'_> {
    let connect = b"CONNECT ";
    let mut cursor = Cursor::new(payload);
    let line = loop {
        if cursor.tag(connect).is_ok() {
            // The line must be whole.
            let start = cursor;
            break match cursor.until(b'\n') {
                Ok(line) => Line {
                    text: line,
                    at: start.position(),
                },
                Err(_) => Line::default(),
            };
        }
        if cursor.byte().is_err() {
            break Line::default();
        }
    };
    Announcements {
        line,
        cursor: Cursor::new(line.text),
        seen: [false; MOST],
    }
}

#[derive(Clone, Copy, Default, Debug)]
struct Line<'a> {
    text: &'a [u8],
    at: usize,
}

/// See [`announcements`].
#[derive(Clone, Debug)]
pub struct Announcements<'a> {
    line: Line<'a>,
    cursor: Cursor<'a>,
    seen: [bool; MOST],
}

impl Iterator for Announcements<'_> {
    type Item = Announcement;

    fn next(&mut self) -> Option<Announcement> {
        while !self.cursor.rest().is_empty() {
            let mut streams = STREAMS.iter().zip(&mut self.seen);
            let stream = streams.find(|(name, _)| self.cursor.tag(name).is_ok());
            let Some((_, seen)) = stream else {
                self.cursor.skip(1);
                continue;
            };
            if core::mem::replace(seen, true) {
                continue;
            }
            let start = self.cursor.position();
            match self.cursor.decimal_at_end(u16::MAX.into()) {
                Ok(port @ 1..) => {
                    let start = start.saturating_add(self.line.at);
                    let end = self.cursor.position().saturating_add(self.line.at);
                    return Some(Announcement {
                        span: Span::between(start, end),
                        port: port as u16,
                    });
                }
                _ => self.cursor = Cursor::new(&[]),
            }
        }
        None
    }
}

/// What announces another port: what to write in place of
/// [`Announcement::span`].
pub fn write(port: u16) -> Result<Buffer<LONGEST>, Full> {
    let mut text = Buffer::new();
    text.decimal(port.into())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    fn all(text: &str) -> Vec<(&str, u16)> {
        announcements(text.as_bytes())
            .map(|found| {
                let span = found.span.of(text.as_bytes()).unwrap();
                (core::str::from_utf8(span).unwrap(), found.port)
            })
            .collect()
    }

    #[test]
    fn golden() {
        let text =
            "Amanda 3.5 REP HANDLE 000-0 SEQ 1\nCONNECT DATA 1024 MESG 65535 INDEX 1\nOPTIONS x;\n";
        assert_eq!(all(text), [("1024", 1024), ("65535", 65535), ("1", 1)]);
        let text = "CONNECT STATE 7 DATA 8 MESG 9 INDEX 10\n";
        assert_eq!(all(text), [("7", 7), ("8", 8), ("9", 9), ("10", 10)]);
    }

    #[test]
    fn bad_ports_end_the_list() {
        for bad in ["0", "65536", "4294968320", "x", "-1", ""] {
            let text = std::format!("CONNECT DATA 1024 MESG {bad} INDEX 1026\n");
            assert_eq!(all(&text), [("1024", 1024)], "{bad}");
        }
    }

    #[test]
    fn only_one_line_with_its_end_counts() {
        assert_eq!(all("CONNECT DATA 1024"), []);
        assert_eq!(all("CONNECT \nDATA 1024\n"), []);
        assert_eq!(all("DATA 1024 CONNECT\n"), []);
        assert_eq!(all("CONNECT DATA 1 DATA 2\n"), [("1", 1)]);
        assert_eq!(all("CONNECT DATA 1\nCONNECT MESG 2\n"), [("1", 1)]);
    }

    #[test]
    fn cut_at_every_byte() {
        let text = "CONNECT DATA 1024 MESG 1025\n";
        for cut in 0..text.len() {
            assert_eq!(all(&text[..cut]), [], "{cut}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for port in [1u16, 1024, 65535] {
            let text = write(port).unwrap();
            let text = core::str::from_utf8(text.text()).unwrap();
            assert_eq!(all(&std::format!("CONNECT DATA {text}\n")), [(text, port)]);
        }
    }
}
