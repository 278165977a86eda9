// SPDX-License-Identifier: GPL-2.0

//! A message: its first line, headers and body (RFC 3261, section 7).

use super::super::{
    text::{Cursor, Stop},
    Span,
};

/// A message, of which the first line was read.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The payload that it is in, up to its end.
    payload: &'a [u8],
    /// Request or response.
    pub start: Start,
    /// Where the headers begin.
    headers: usize,
}

/// A message's first line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// A request.
    Request {
        /// What it asks for.
        method: Method,
        /// Whom: the Request-URI.
        uri: Span,
    },
    /// The answer to one.
    Response {
        /// 100 to 999.
        code: u16,
    },
}

/// The methods of interest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Named as in RFCs 3261, 3262 and 3311.
pub enum Method {
    Invite,
    Update,
    Ack,
    Prack,
    Bye,
    Cancel,
    Register,
    Other,
}

impl Method {
    fn of(name: &[u8]) -> Self {
        // Methods are case-sensitive; some devices do not care.
        let is = |method: &[u8]| name.eq_ignore_ascii_case(method);
        match () {
            () if is(b"INVITE") => Method::Invite,
            () if is(b"UPDATE") => Method::Update,
            () if is(b"ACK") => Method::Ack,
            () if is(b"PRACK") => Method::Prack,
            () if is(b"BYE") => Method::Bye,
            () if is(b"CANCEL") => Method::Cancel,
            () if is(b"REGISTER") => Method::Register,
            () => Method::Other,
        }
    }
}

/// The headers of interest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Named as in RFC 3261, section 20.
pub enum Name {
    CSeq,
    From,
    To,
    Contact,
    Via,
    Route,
    RecordRoute,
    Expires,
    ContentLength,
    CallId,
    Other,
}

impl Name {
    /// With compact forms (RFC 3261, section 7.3.3).
    fn of(name: &[u8]) -> Self {
        let is = |long: &[u8], short: &[u8]| {
            name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)
        };
        match () {
            () if is(b"CSeq", b"CSeq") => Name::CSeq,
            () if is(b"From", b"f") => Name::From,
            () if is(b"To", b"t") => Name::To,
            () if is(b"Contact", b"m") => Name::Contact,
            () if is(b"Via", b"v") => Name::Via,
            () if is(b"Route", b"Route") => Name::Route,
            () if is(b"Record-Route", b"Record-Route") => Name::RecordRoute,
            () if is(b"Expires", b"Expires") => Name::Expires,
            () if is(b"Content-Length", b"l") => Name::ContentLength,
            () if is(b"Call-ID", b"i") => Name::CallId,
            () => Name::Other,
        }
    }
}

/// A header: its name, and where its value is, without white space around it.
/// A value may go on over several lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What it is.
    pub name: Name,
    /// Its value.
    pub value: Span,
}

/// What is no SIP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotSip;

impl<'a> Message<'a> {
    /// The message that begins at `at` in a payload that ends with it.
    pub fn parse(payload: &'a [u8], at: usize) -> Result<Self, NotSip> {
        let mut cursor = Cursor::new(payload);
        cursor.skip(at);
        let start = match first_line(&mut cursor) {
            Ok(start) => start,
            Err(_) => return Err(NotSip),
        };
        Ok(Message {
            payload,
            start,
            headers: cursor.position(),
        })
    }

    /// A payload of which only the headers' values are to be read.
    pub(super) const fn of_headers(payload: &'a [u8], start: Start) -> Self {
        Message {
            payload,
            start,
            headers: 0,
        }
    }

    /// The payload that the message is in.
    #[inline]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// What stands at a place; nothing if there is none.
    #[inline]
    pub fn at(&self, span: Span) -> &'a [u8] {
        span.of(self.payload).unwrap_or(&[])
    }

    /// Its headers, in order.
    pub fn headers(&self) -> Headers<'a> {
        Headers::at(self.payload, self.headers)
    }

    /// The first header of this name.
    pub fn header(&self, name: Name) -> Option<Span> {
        let found = self.headers().find(|header| header.name == name)?;
        Some(found.value)
    }

    /// Its body, what stands behind the empty line; may be empty.
    pub fn body(&self) -> Option<Span> {
        let mut headers = self.headers();
        for _ in headers.by_ref() {}
        headers.body()
    }

    /// The number that is the first header of this name.
    pub fn number(&self, name: Name) -> Option<u32> {
        let mut cursor = Cursor::new(self.at(self.header(name)?));
        cursor.decimal_at_end(u32::MAX).ok()
    }

    /// Sequence number and method of the request that it is or answers (CSeq,
    /// RFC 3261, section 20.16).
    pub fn sequence(&self) -> Option<(u32, Method)> {
        let mut cursor = Cursor::new(self.at(self.header(Name::CSeq)?));
        let number = cursor.decimal_at_end(u32::MAX).ok()?;
        cursor.take_while(is_space);
        Some((number, Method::of(cursor.take_while(is_token))))
    }
}

/// `METHOD uri SIP/2.0` or `SIP/2.0 code reason`.
fn first_line(cursor: &mut Cursor<'_>) -> Result<Start, Stop> {
    let start = if cursor.tag_nocase(b"SIP/2.0 ").is_ok() {
        let code = cursor.decimal_at_end(999)? as u16;
        if code < 100 {
            return Err(Stop::Wrong);
        }
        Start::Response { code }
    } else {
        let method = cursor.take_while(is_token);
        if method.is_empty() {
            return Err(Stop::Wrong);
        }
        cursor.pass(b' ')?;
        let at = cursor.position();
        let uri = cursor.take_while(|byte| !is_space(byte) && byte != b'\n');
        if !uri.first().is_some_and(u8::is_ascii_alphabetic) {
            return Err(Stop::Wrong);
        }
        Start::Request {
            method: Method::of(method),
            uri: Span::between(at, cursor.position()),
        }
    };
    cursor.take_while(|byte| byte != b'\n');
    cursor.skip(1);
    Ok(start)
}

/// The headers of a message; when there are no more, [`body`](Self::body) is
/// behind them.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    payload: &'a [u8],
    cursor: Cursor<'a>,
}

impl<'a> Headers<'a> {
    /// Those that begin at `at` in a payload.
    pub fn at(payload: &'a [u8], at: usize) -> Self {
        let mut cursor = Cursor::new(payload);
        cursor.skip(at);
        Headers { payload, cursor }
    }

    /// Those behind the end of the line that `at` is in.
    pub fn behind(payload: &'a [u8], at: usize) -> Self {
        let mut headers = Headers::at(payload, at);
        headers.cursor.take_while(|byte| byte != b'\n');
        headers.cursor.skip(1);
        headers
    }

    /// The payload that they are in.
    pub(super) const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// What is behind the empty line that ends the headers.
    pub(super) fn body(&self) -> Option<Span> {
        let mut cursor = self.cursor;
        let _ = cursor.pass(b'\r');
        cursor.pass(b'\n').ok()?;
        let start = cursor.position();
        Some(Span {
            start,
            len: cursor.rest().len(),
        })
    }
}

impl Iterator for Headers<'_> {
    type Item = Header;

    fn next(&mut self) -> Option<Header> {
        while !matches!(self.cursor.rest(), [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
            let name = self.cursor.take_while(|byte| byte != b':' && byte != b'\n');
            if self.cursor.pass(b':').is_err() {
                // A line without colon is no header.
                self.cursor.skip(1);
                continue;
            }
            return Some(Header {
                name: Name::of(name.trim_ascii_end()),
                value: self.value(),
            });
        }
        None
    }
}

impl Headers<'_> {
    /// Reads a value with the lines on which it goes on: those that begin with
    /// white space.
    fn value(&mut self) -> Span {
        self.cursor.take_while(is_space);
        let start = self.cursor.position();
        let mut end = start;
        loop {
            let line = self.cursor.take_while(|byte| byte != b'\n');
            let blank = line.len().saturating_sub(line.trim_ascii_end().len());
            if blank < line.len() {
                end = self.cursor.position().saturating_sub(blank);
            }
            self.cursor.skip(1);
            if !matches!(self.cursor.rest(), [b' ' | b'\t', ..]) {
                return Span::between(start, end);
            }
        }
    }
}

/// White space, also that of a line that goes on.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A character of a token (RFC 3261, section 25.1).
pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        )
}
