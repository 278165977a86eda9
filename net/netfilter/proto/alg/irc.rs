// SPDX-License-Identifier: GPL-2.0

//! IRC's DCC: a client tells another one, by a message through the server,
//! where it can be reached.
//!
//! `PRIVMSG nick :\x01DCC SEND file address port size\x01`, with the IPv4 address
//! as one decimal number.

use super::{
    text::{Buffer, Cursor, Full, Stop},
    Span,
};
use crate::be::Be32;

/// The longest text that [`write`] gives.
pub const LONGEST: usize = "4294967295 65535".len();

/// The DCC commands that announce an endpoint.
const COMMANDS: [&[u8]; 5] = [b"SEND ", b"CHAT ", b"MOVE ", b"TSEND ", b"SCHAT "];

/// An announced endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// Address and port in the payload, with what is between them.
    pub span: Span,
    /// The IPv4 address.
    pub address: Be32,
    /// The TCP port, host order; not 0.
    pub port: u16,
}

/// The endpoints that a client's segment announces, in order.
///
/// Only what stands at the start of a line counts, and a line counts when it is
/// whole. `begins_line` says whether the payload begins with a line.
pub fn announcements(payload: &[u8], begins_line: bool) -> Announcements<'_> {
    let mut cursor = Cursor::new(payload);
    if !begins_line && cursor.until(b'\n').is_err() {
        cursor.skip(payload.len());
    }
    Announcements(cursor)
}

/// See [`announcements`].
#[derive(Clone, Debug)]
pub struct Announcements<'a>(Cursor<'a>);

impl Iterator for Announcements<'_> {
    type Item = Announcement;

    fn next(&mut self) -> Option<Announcement> {
        loop {
            let start = self.0.position();
            let line = self.0.until(b'\n').ok()?;
            if let Ok(mut found) = in_line(line) {
                found.span.start = found.span.start.saturating_add(start);
                return Some(found);
            }
        }
    }
}

/// Reads a line, which is without its LF.
fn in_line(line: &[u8]) -> Result<Announcement, Stop> {
    let mut cursor = Cursor::new(line);
    cursor.take_while(|byte| byte == b' ' || byte == b'\r');
    cursor.tag_nocase(b"PRIVMSG ")?;
    // The nick, or several with commas; RFC 1459, section 4.4.1.
    cursor.take_while(|byte| byte != b' ');
    cursor.tag(b" :\x01DCC ")?;
    COMMANDS
        .iter()
        .find_map(|command| cursor.tag(command).ok())
        .ok_or(Stop::Wrong)?;
    // A file name with blanks stands in quotes.
    if cursor.pass(b'"').is_ok() {
        cursor.until(b'"')?;
    }
    cursor.until(b' ')?;
    let start = cursor.position();
    let address = cursor.decimal(u32::MAX)?;
    if cursor.take_while(|byte| byte == b' ').is_empty() {
        return Err(Stop::Wrong);
    }
    let port = cursor.decimal_at_end(u16::MAX.into())? as u16;
    if port == 0 {
        return Err(Stop::Wrong);
    }
    Ok(Announcement {
        span: Span::between(start, cursor.position()),
        address: Be32::new(address),
        port,
    })
}

/// What announces another endpoint: what to write in place of
/// [`Announcement::span`].
pub fn write(address: Be32, port: u16) -> Result<Buffer<LONGEST>, Full> {
    let mut text = Buffer::new();
    text.decimal(address.get())?;
    text.push(b" ")?;
    text.decimal(port.into())?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    fn all(text: &str) -> Vec<(&str, u32, u16)> {
        announcements(text.as_bytes(), true)
            .map(|found| {
                let span = found.span.of(text.as_bytes()).unwrap();
                let span = core::str::from_utf8(span).unwrap();
                (span, found.address.get(), found.port)
            })
            .collect()
    }

    #[test]
    fn golden() {
        for (text, span, address, port) in [
            (
                "PRIVMSG bob :\x01DCC SEND f.txt 3232235521 1024 99\x01\r\n",
                "3232235521 1024",
                0xc0a8_0001,
                1024,
            ),
            (
                "privmsg bob :\x01DCC CHAT chat 16777216 65535\x01\n",
                "16777216 65535",
                0x0100_0000,
                65535,
            ),
            (
                "PRIVMSG #a,#b :\x01DCC SCHAT chat 16777216  1\x01\r\n",
                "16777216  1",
                0x0100_0000,
                1,
            ),
            (
                "PRIVMSG bob :\x01DCC TSEND \"a b c\" 16777216 80 7\x01\r\n",
                "16777216 80",
                0x0100_0000,
                80,
            ),
            (
                "\r\nPRIVMSG bob :\x01DCC MOVE f 16777216 80 7\x01\r\n",
                "16777216 80",
                0x0100_0000,
                80,
            ),
        ] {
            assert_eq!(all(text), [(span, address, port)], "{text}");
        }
    }

    #[test]
    fn every_line_of_a_segment_counts() {
        let text = "PRIVMSG a :\x01DCC CHAT chat 1 2\x01\r\nPRIVMSG b :hi\r\nPRIVMSG c :\x01DCC CHAT chat 3 4\x01\r\n";
        assert_eq!(all(text), [("1 2", 1, 2), ("3 4", 3, 4)]);
        let mut first_cut = announcements(text.as_bytes(), false);
        assert_eq!(first_cut.next().map(|found| found.port), Some(4));
        assert_eq!(first_cut.next(), None);
    }

    /// CVE-2022-2663: what a client only repeats, and what is not a number.
    #[test]
    fn forged_commands_do_not_count() {
        for text in [
            "PONG :\x01DCC SEND f 3232235521 1024 9\x01\r\n",
            "PONG x PRIVMSG bob :\x01DCC SEND f 3232235521 1024 9\x01\r\n",
            "NOTICE bob :\x01DCC SEND f 3232235521 1024 9\x01\r\n",
            "PRIVMSG bob :see \x01DCC SEND f 3232235521 1024 9\x01\r\n",
            "PRIVMSG bob :\x01DCC SEND f 3232235521 0 9\x01\r\n",
            "PRIVMSG bob :\x01DCC SEND f 3232235521 65536 9\x01\r\n",
            "PRIVMSG bob :\x01DCC SEND f 4294967296 1024 9\x01\r\n",
            "PRIVMSG bob :\x01DCC SEND f 192.168.0.1 1024 9\x01\r\n",
            "PRIVMSG bob :\x01DCC RESUME f 1024 9\x01\r\n",
            "PRIVMSG bob :\x01DCC SEND\r\n",
        ] {
            assert_eq!(all(text), [], "{text}");
        }
    }

    /// CVE-2026-53268: a command that matches and fails, then another one.
    #[test]
    fn one_that_fails_does_not_hide_the_next() {
        let text = "PRIVMSG a :\x01DCC SEND x\r\nPRIVMSG b :\x01DCC CHAT chat 3 4\x01\r\n";
        assert_eq!(all(text), [("3 4", 3, 4)]);
    }

    #[test]
    fn cut_at_every_byte() {
        let text = "PRIVMSG bob :\x01DCC SEND f 3232235521 1024 9\x01\r\n";
        for cut in 0..text.len() {
            assert_eq!(all(&text[..cut]), [], "{cut}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = write(Be32::new(u32::MAX), u16::MAX).unwrap();
        assert_eq!(text.text(), b"4294967295 65535");
    }
}
