// SPDX-License-Identifier: GPL-2.0

//! One header's value, for who balances load by it (`ct_sip_get_header`).

use super::{
    super::{text::Cursor, Span},
    message::{is_token, Headers, Message, Name, Start},
    uri,
};
use crate::tuple::Family;

/// What is wanted of a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// The number that it begins with.
    Number(Name),
    /// The first address of its URIs.
    Uri(Name, Family),
    /// The address of a Via by this protocol (`IPPROTO_*`).
    Via(u8, Family),
    /// The call's identifier.
    CallId,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// No such header.
    Nothing,
    /// The header is there, and its value begins at this place, but it does not
    /// say what is wanted.
    Unclear(usize),
    /// What is wanted.
    At(Span),
}

/// Looks for the first header that begins on a line behind that of `from`.
pub fn find(payload: &[u8], from: usize, wanted: Wanted) -> Found {
    let name = match wanted {
        Wanted::Number(name) | Wanted::Uri(name, _) => name,
        Wanted::Via(..) => Name::Via,
        Wanted::CallId => Name::CallId,
    };
    let mut headers = Headers::behind(payload, from);
    let Some(header) = headers.find(|header| header.name == name) else {
        return Found::Nothing;
    };
    let value = header.value;
    let text = value.of(payload).unwrap_or(&[]);
    let starting = |count: usize| Span {
        start: value.start,
        len: count,
    };
    // Addresses are read in a message; which one does not matter.
    let message = Message::of_headers(payload, Start::Response { code: 0 });
    let span = match wanted {
        Wanted::Number(_) => starting(
            Cursor::new(text)
                .take_while(|byte| byte.is_ascii_digit())
                .len(),
        ),
        Wanted::CallId => starting(call_id(text)),
        Wanted::Uri(_, family) => uri::in_values(&message, value, family)
            .next()
            .map_or(starting(0), |found| found.span),
        Wanted::Via(protocol, family) => {
            uri::in_via(&message, value, protocol, family).map_or(starting(0), |found| found.span)
        }
    };
    if span.len == 0 {
        Found::Unclear(value.start)
    } else {
        Found::At(span)
    }
}

/// How long the identifier is that a text begins with: `word` or `word@word`
/// (RFC 3261, section 25.1).
fn call_id(text: &[u8]) -> usize {
    let mut cursor = Cursor::new(text);
    let first = cursor.take_while(is_word).len();
    if first == 0 || cursor.pass(b'@').is_err() {
        return first;
    }
    if cursor.take_while(is_word).is_empty() {
        return 0;
    }
    cursor.position()
}

const fn is_word(byte: u8) -> bool {
    is_token(byte)
        || matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'{'
                | b'}'
        )
}
