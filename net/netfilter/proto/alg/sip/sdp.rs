// SPDX-License-Identifier: GPL-2.0

//! The description of a session (RFC 8866): where media are to be sent.

use super::{
    super::{text::Cursor, Span},
    message::Message,
};
use crate::tuple::{Address, Family};

/// A session's description in a message's body.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// From its first line, `v=`, on.
    lines: Lines<'a>,
    family: Family,
    /// Where the body begins that it is in.
    body: usize,
}

/// An address, and where it stands.
pub type Placed = (Address, Span);

/// Which kind of stream (`enum sip_expectation_classes`).
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `audio`
    Audio = 1,
    /// `video`
    Video = 2,
    /// `image`, of fax
    Image = 3,
}

/// A stream of media that is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Media {
    /// What it carries.
    pub kind: Kind,
    /// Its port, host order, at least 1024.
    pub port: u16,
    /// Where that stands.
    pub port_span: Span,
    /// Its own address, if it has one.
    pub connection: Option<Placed>,
    /// The session's address counts for it as it has none of its own.
    pub address: Address,
}

/// A stream has a port that cannot be, or no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wrong;

impl<'a> Session<'a> {
    /// The description in a message, if there is one.
    pub fn of(message: &Message<'a>, family: Family) -> Option<Self> {
        let body = message.body()?;
        let mut lines = Lines::new(message.payload(), body.start);
        loop {
            let here = lines;
            if lines.next()?.kind == b'v' {
                return Some(Session {
                    lines: here,
                    family,
                    body: body.start,
                });
            }
        }
    }

    /// Where the message's body begins.
    #[inline]
    pub const fn body(&self) -> usize {
        self.body
    }

    /// Of its own lines: not those of streams.
    fn own(&self) -> impl Iterator<Item = Line<'a>> {
        self.lines.take_while(|line| line.kind != b'm')
    }

    /// The address of who made it (`o=`).
    pub fn owner(&self) -> Option<Placed> {
        let line = self.own().find(|line| line.kind == b'o')?;
        // Name, id, version; then as in `c=`.
        let mut cursor = Cursor::new(line.text);
        for _ in 0..3 {
            cursor.until(b' ').ok()?;
        }
        connection(cursor, line.at, self.family)
    }

    /// The address that counts for streams without one of their own (`c=`).
    pub fn connection(&self) -> Option<Placed> {
        let line = self.own().find(|line| line.kind == b'c')?;
        connection(Cursor::new(line.text), line.at, self.family)
    }

    /// The streams in use of which the kind is known.
    pub fn media(&self) -> Medias<'a> {
        Medias {
            lines: self.lines,
            family: self.family,
            session: self.connection(),
        }
    }
}

/// See [`Session::media`].
#[derive(Clone, Debug)]
pub struct Medias<'a> {
    lines: Lines<'a>,
    family: Family,
    session: Option<Placed>,
}

impl Iterator for Medias<'_> {
    type Item = Result<Media, Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.lines.find(|line| line.kind == b'm')?;
            let mut cursor = Cursor::new(line.text);
            let Some(kind) = kind(&mut cursor) else {
                continue;
            };
            let start = cursor.position();
            let Ok(port) = cursor.decimal_at_end(u16::MAX.into()) else {
                return Some(Err(Wrong));
            };
            let port = port as u16;
            // An inactive stream.
            if port == 0 {
                continue;
            }
            let end = cursor.position();
            let mut own = self.lines.take_while(|line| line.kind != b'm');
            let connection = own
                .find(|line| line.kind == b'c')
                .and_then(|line| connection(Cursor::new(line.text), line.at, self.family));
            let Some((address, _)) = connection.or(self.session) else {
                return Some(Err(Wrong));
            };
            if port < 1024 {
                return Some(Err(Wrong));
            }
            return Some(Ok(Media {
                kind,
                port,
                port_span: Span {
                    start: line.at.saturating_add(start),
                    len: end.saturating_sub(start),
                },
                connection,
                address,
            }));
        }
    }
}

fn kind(cursor: &mut Cursor<'_>) -> Option<Kind> {
    for (name, kind) in [
        (&b"audio "[..], Kind::Audio),
        (b"video ", Kind::Video),
        (b"image ", Kind::Image),
    ] {
        if cursor.tag(name).is_ok() {
            return Some(kind);
        }
    }
    None
}

/// `IN IP4 address`, perhaps with `/ttl` behind it.
fn connection(mut cursor: Cursor<'_>, at: usize, family: Family) -> Option<Placed> {
    cursor.tag_nocase(b"IN IP").ok()?;
    cursor
        .tag(match family {
            Family::Ipv4 => b"4 ",
            Family::Ipv6 => b"6 ",
        })
        .ok()?;
    let start = cursor.position();
    let address = match family {
        Family::Ipv4 => cursor.ipv4_at_end(),
        Family::Ipv6 => cursor.ipv6_at_end(),
    };
    let address = address.ok()?;
    if !matches!(cursor.rest(), [] | [b' ' | b'/', ..]) {
        return None;
    }
    let span = Span {
        start: at.saturating_add(start),
        len: cursor.position().saturating_sub(start),
    };
    Some((address, span))
}

/// A line: its type, and what is behind the `=`.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    kind: u8,
    text: &'a [u8],
    at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Lines<'a>(Cursor<'a>);

impl<'a> Lines<'a> {
    fn new(payload: &'a [u8], at: usize) -> Self {
        let mut cursor = Cursor::new(payload);
        cursor.skip(at);
        Lines(cursor)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let at = self.0.position();
            if let [kind, b'=', text @ ..] = self.0.line()? {
                return Some(Line {
                    kind: *kind,
                    text,
                    at: at.saturating_add(2),
                });
            }
        }
    }
}
