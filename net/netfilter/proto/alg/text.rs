// SPDX-License-Identifier: GPL-2.0

//! Words, numbers and addresses of protocols that are text: read with a
//! [`Cursor`], written into a [`Buffer`].

use crate::{
    be::Be32,
    tuple::{Address, Family},
};

/// Why a text is not what was looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It ends too early: with more bytes it could be.
    Short,
    /// It is something else.
    Wrong,
}

/// A place in a text, moved forward by what is read.
///
/// A method that fails leaves the place where it was, or within what it was
/// about to read.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of a text.
    #[inline]
    pub const fn new(text: &'a [u8]) -> Self {
        Cursor { rest: text, at: 0 }
    }

    /// How many bytes lie behind.
    #[inline]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// What lies ahead.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may lie ahead.
    #[inline]
    pub const fn end(&self) -> Result<(), Stop> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Stop::Wrong)
        }
    }

    /// Passes over at most `count` bytes.
    #[inline]
    pub fn skip(&mut self, count: usize) {
        let count = count.min(self.rest.len());
        self.rest = self.rest.get(count..).unwrap_or(&[]);
        self.at = self.at.saturating_add(count);
    }

    /// Reads a byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, Stop> {
        let (byte, rest) = self.rest.split_first().ok_or(Stop::Short)?;
        self.rest = rest;
        self.at = self.at.saturating_add(1);
        Ok(*byte)
    }

    /// Passes over this byte.
    #[inline]
    pub fn pass(&mut self, byte: u8) -> Result<(), Stop> {
        match self.rest.first() {
            None => Err(Stop::Short),
            Some(found) if *found == byte => {
                self.skip(1);
                Ok(())
            }
            Some(_) => Err(Stop::Wrong),
        }
    }

    /// Passes over these bytes.
    #[inline]
    pub fn tag(&mut self, tag: &[u8]) -> Result<(), Stop> {
        self.tag_by(tag, |a, b| a == b)
    }

    /// Passes over these ASCII letters, small or capital.
    #[inline]
    pub fn tag_nocase(&mut self, tag: &[u8]) -> Result<(), Stop> {
        self.tag_by(tag, |a, b| a.eq_ignore_ascii_case(b))
    }

    #[inline]
    fn tag_by(&mut self, tag: &[u8], same: fn(&u8, &u8) -> bool) -> Result<(), Stop> {
        if !self.rest.iter().zip(tag).all(|(a, b)| same(a, b)) {
            return Err(Stop::Wrong);
        }
        if self.rest.len() < tag.len() {
            return Err(Stop::Short);
        }
        self.skip(tag.len());
        Ok(())
    }

    /// Reads the bytes for which `wanted` is true, perhaps none.
    #[inline]
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let text = self.rest;
        let mut count = 0usize;
        for byte in text {
            if !wanted(*byte) {
                break;
            }
            count = count.saturating_add(1);
        }
        self.skip(count);
        text.get(..count).unwrap_or(text)
    }

    /// Reads up to the next such byte, and passes over that.
    #[inline]
    pub fn until(&mut self, byte: u8) -> Result<&'a [u8], Stop> {
        let count = self
            .rest
            .iter()
            .position(|found| *found == byte)
            .ok_or(Stop::Short)?;
        let text = self.rest.get(..count).ok_or(Stop::Short)?;
        self.skip(count.saturating_add(1));
        Ok(text)
    }

    /// Reads a line without its end, which is LF or CR LF; the last one need
    /// not have one. Nothing at the end of the text.
    pub fn line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.take_while(|byte| byte != b'\n');
        self.skip(1);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Reads a decimal number up to `most`. One that ends with the text could
    /// go on: see [`decimal_at_end`](Self::decimal_at_end).
    #[inline]
    pub fn decimal(&mut self, most: u32) -> Result<u32, Stop> {
        let value = self.decimal_at_end(most)?;
        if self.rest.is_empty() {
            return Err(Stop::Short);
        }
        Ok(value)
    }

    /// Reads a decimal number up to `most`, which may end with the text.
    pub fn decimal_at_end(&mut self, most: u32) -> Result<u32, Stop> {
        if self.rest.is_empty() {
            return Err(Stop::Short);
        }
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return Err(Stop::Wrong);
        }
        let mut value = 0u32;
        for digit in digits {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(digit))
                .filter(|value| *value <= most)
                .ok_or(Stop::Wrong)?;
        }
        Ok(value)
    }

    /// Reads numbers up to 255 with `separator` between them; the last one ends
    /// before the end of the text.
    pub fn bytes<const N: usize>(&mut self, separator: u8) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        let mut first = true;
        for byte in &mut bytes {
            if !first {
                self.pass(separator)?;
            }
            first = false;
            *byte = self.decimal(255)? as u8;
        }
        Ok(bytes)
    }

    /// Reads an IPv4 address, `192.0.2.1`; something comes behind it.
    pub fn ipv4(&mut self) -> Result<Address, Stop> {
        Ok(Address::v4(Be32::from_bytes(self.bytes(b'.')?)))
    }

    /// Reads an IPv6 address (RFC 4291 section 2.2, all three forms); something
    /// comes behind it.
    pub fn ipv6(&mut self) -> Result<Address, Stop> {
        let text = self.rest;
        let address = self.take_while(is_of_ipv6);
        if address.len() == text.len() {
            return Err(Stop::Short);
        }
        ipv6(address).ok_or(Stop::Wrong)
    }

    /// Reads an IPv4 address, which may end with the text.
    pub fn ipv4_at_end(&mut self) -> Result<Address, Stop> {
        let mut bytes = [0; 4];
        let mut first = true;
        for byte in &mut bytes {
            if !first {
                self.pass(b'.')?;
            }
            first = false;
            *byte = self.decimal_at_end(255)? as u8;
        }
        Ok(Address::v4(Be32::from_bytes(bytes)))
    }

    /// Reads an IPv6 address with or without brackets, which may end with the
    /// text.
    pub fn ipv6_at_end(&mut self) -> Result<Address, Stop> {
        let bracket = self.pass(b'[').is_ok();
        let text = self.take_while(is_of_ipv6);
        let address = ipv6(text).ok_or(Stop::Wrong)?;
        if bracket {
            self.pass(b']')?;
        }
        Ok(address)
    }

    /// Reads an address of this family; something comes behind it.
    #[inline]
    pub fn address(&mut self, family: Family) -> Result<Address, Stop> {
        match family {
            Family::Ipv4 => self.ipv4(),
            Family::Ipv6 => self.ipv6(),
        }
    }
}

/// The address that is the whole text.
fn ipv6(text: &[u8]) -> Option<Address> {
    let mut words = Words::default();
    // How many words stand before the gap `::`.
    let mut gap = None;
    let mut cursor = Cursor::new(text);
    if cursor.tag(b"::").is_ok() {
        gap = Some(0);
    }
    while !cursor.rest().is_empty() {
        let part = cursor.take_while(|byte| byte != b':');
        if part.contains(&b'.') {
            // The last 32 bits as an IPv4 address.
            let mut dotted = Cursor::new(part);
            let Address([last, ..]) = dotted.ipv4_at_end().ok()?;
            dotted.end().ok()?;
            let [a, b, c, d] = last.to_bytes();
            words.push(u16::from_be_bytes([a, b]))?;
            words.push(u16::from_be_bytes([c, d]))?;
            cursor.end().ok()?;
            break;
        }
        words.push(hexadecimal(part)?)?;
        if cursor.end().is_ok() {
            break;
        }
        cursor.skip(1);
        if cursor.pass(b':').is_ok() {
            if gap.replace(words.count).is_some() {
                return None;
            }
        } else if cursor.end().is_ok() {
            return None;
        }
    }
    words.spread(gap)
}

const fn is_of_ipv6(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

/// The words of an IPv6 address, from the first on.
#[derive(Default)]
struct Words {
    words: [u16; 8],
    count: usize,
}

impl Words {
    fn push(&mut self, word: u16) -> Option<()> {
        *self.words.get_mut(self.count)? = word;
        self.count = self.count.checked_add(1)?;
        Some(())
    }

    /// All eight, with zeros in the gap: there must be room for at least one
    /// if there is a gap, and none otherwise.
    fn spread(&self, gap: Option<usize>) -> Option<Address> {
        let mut all = [0u16; 8];
        let there = self.words.get(..self.count)?;
        match gap {
            None if self.count == 8 => all = self.words,
            Some(gap) if self.count < 8 => {
                for (to, from) in all.iter_mut().zip(there.get(..gap)?) {
                    *to = *from;
                }
                let behind = there.get(gap..)?;
                for (to, from) in all.iter_mut().rev().zip(behind.iter().rev()) {
                    *to = *from;
                }
            }
            _ => return None,
        }
        let [a, b, c, d, e, f, g, h] = all;
        let pair = |high: u16, low: u16| Be32::new((u32::from(high) << 16) | u32::from(low));
        Some(Address([pair(a, b), pair(c, d), pair(e, f), pair(g, h)]))
    }
}

/// Up to four hexadecimal digits.
fn hexadecimal(text: &[u8]) -> Option<u16> {
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    let mut value = 0u16;
    for byte in text {
        let digit = (*byte as char).to_digit(16)? as u16;
        value = (value << 4) | digit;
    }
    Some(value)
}

/// A text has no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// A text in the making, of at most `N` bytes.
#[derive(Clone, Copy)]
pub struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Buffer<N> {
    /// An empty text.
    #[inline]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Buffer {
            bytes: [0; N],
            len: 0,
        }
    }

    /// What was written.
    #[inline]
    pub fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Writes bytes.
    #[inline]
    pub fn push(&mut self, text: &[u8]) -> Result<(), Full> {
        let end = self.len.checked_add(text.len()).ok_or(Full)?;
        let room = self.bytes.get_mut(self.len..end).ok_or(Full)?;
        for (to, from) in room.iter_mut().zip(text) {
            *to = *from;
        }
        self.len = end;
        Ok(())
    }

    /// Writes a decimal number.
    pub fn decimal(&mut self, mut value: u32) -> Result<(), Full> {
        let mut digits = [0u8; 10];
        let mut first = digits.len();
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0'.wrapping_add((value % 10) as u8);
            value /= 10;
            first = at;
            if value == 0 {
                break;
            }
        }
        self.push(digits.get(first..).unwrap_or(&[]))
    }

    /// Writes numbers with `separator` between them.
    pub fn bytes(&mut self, bytes: &[u8], separator: u8) -> Result<(), Full> {
        let mut first = true;
        for byte in bytes {
            if !first {
                self.push(&[separator])?;
            }
            first = false;
            self.decimal((*byte).into())?;
        }
        Ok(())
    }

    /// Writes an address: IPv4 dotted, IPv6 as RFC 5952 recommends (without
    /// mixed notation).
    pub fn address(&mut self, address: &Address, family: Family) -> Result<(), Full> {
        let Address([a, b, c, d]) = address;
        match family {
            Family::Ipv4 => self.bytes(&a.to_bytes(), b'.'),
            Family::Ipv6 => {
                let halves = |word: &Be32| {
                    let [a, b, c, d] = word.to_bytes();
                    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
                };
                let [[a, b], [c, d], [e, f], [g, h]] = [a, b, c, d].map(halves);
                self.ipv6([a, b, c, d, e, f, g, h])
            }
        }
    }

    /// Writes an IPv6 address with all its zeros.
    pub fn ipv6_in_full(&mut self, address: &Address) -> Result<(), Full> {
        let Address(words) = address;
        for (at, word) in words.iter().enumerate() {
            if at != 0 {
                self.push(b":")?;
            }
            let [a, b, c, d] = word.to_bytes();
            self.two_digits(a)?;
            self.two_digits(b)?;
            self.push(b":")?;
            self.two_digits(c)?;
            self.two_digits(d)?;
        }
        Ok(())
    }

    fn two_digits(&mut self, byte: u8) -> Result<(), Full> {
        self.push(&[digit(byte >> 4), digit(byte & 0xf)])
    }

    fn ipv6(&mut self, words: [u16; 8]) -> Result<(), Full> {
        let (gap, gap_len) = longest_zeros(&words);
        let gap_end = gap.saturating_add(gap_len);
        for (at, word) in words.iter().enumerate() {
            if (gap..gap_end).contains(&at) {
                if at == gap {
                    self.push(b"::")?;
                }
                continue;
            }
            if at != 0 && at != gap_end {
                self.push(b":")?;
            }
            self.hexadecimal(*word)?;
        }
        Ok(())
    }

    fn hexadecimal(&mut self, value: u16) -> Result<(), Full> {
        let mut begun = false;
        for shift in [12, 8, 4, 0] {
            let digit = value.wrapping_shr(shift) & 0xf;
            if digit == 0 && shift != 0 && !begun {
                continue;
            }
            begun = true;
            self.push(&[self::digit(digit as u8)])?;
        }
        Ok(())
    }
}

/// A hexadecimal digit.
const fn digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0'.wrapping_add(value),
        _ => b'a'.wrapping_add(value.wrapping_sub(10)),
    }
}

/// The first of the longest rows of at least two zeros: where, how many. If
/// there is none, a place behind the words.
fn longest_zeros(words: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut best_len) = (usize::MAX, 0usize);
    let mut len = 0usize;
    for (at, word) in words.iter().enumerate() {
        len = if *word == 0 { len.saturating_add(1) } else { 0 };
        if len > best_len && len >= 2 {
            best_len = len;
            best = at.saturating_add(1).saturating_sub(len);
        }
    }
    (best, best_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_ipv6(text: &str) -> Option<Address> {
        let mut with_end = [b']'; 64];
        with_end[..text.len()].copy_from_slice(text.as_bytes());
        let mut cursor = Cursor::new(&with_end[..=text.len()]);
        let address = cursor.ipv6().ok()?;
        assert_eq!(cursor.rest(), b"]");
        Some(address)
    }

    #[test]
    fn ipv6_as_the_standard_library_reads_it() {
        for text in [
            "::",
            "::1",
            "1::",
            "fe80::1",
            "2001:db8::ff00:42:8329",
            "1:2:3:4:5:6:7:8",
            "::ffff:192.0.2.1",
            "1:2:3:4:5:6:1.2.3.4",
            "1::8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            // None of these is one.
            "",
            ":",
            ":::",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3",
            "12345::",
            "1:",
            ":1",
            "1.2.3.4",
            "::1.2.3",
            "::1.2.3.4.5",
            "::1.2.3.4:5",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::1.2.3.256",
            "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8",
        ] {
            let expected = text.parse::<core::net::Ipv6Addr>().ok();
            let found = read_ipv6(text);
            let bytes = found.map(|Address(words)| words.map(Be32::get));
            let expected = expected.map(|address| {
                let bits = address.to_bits();
                [96, 64, 32, 0].map(|shift| (bits >> shift) as u32)
            });
            assert_eq!(bytes, expected, "{text}");
        }
    }

    #[test]
    fn addresses_are_written_as_rfc_5952_says() {
        for text in [
            "::",
            "::1",
            "1::",
            "fe80::1",
            "2001:db8::ff00:42:8329",
            "1:2:3:4:5:6:7:8",
            "2001:db8:0:1:1:1:1:1",
            "2001:0:0:1::1",
            "1::4:0:0:7:8",
        ] {
            let address = read_ipv6(text).unwrap();
            let mut buffer = Buffer::<45>::new();
            buffer.address(&address, Family::Ipv6).unwrap();
            assert_eq!(core::str::from_utf8(buffer.text()), Ok(text));
        }
        let mut buffer = Buffer::<15>::new();
        let address = Address::v4(Be32::new(0xffff_ff00));
        buffer.address(&address, Family::Ipv4).unwrap();
        assert_eq!(buffer.text(), b"255.255.255.0");
    }

    #[test]
    fn numbers_have_bounds() {
        let read = |text: &str, most| Cursor::new(text.as_bytes()).decimal(most);
        assert_eq!(read("0 ", 0), Ok(0));
        assert_eq!(read("255,", 255), Ok(255));
        assert_eq!(read("256,", 255), Err(Stop::Wrong));
        assert_eq!(read("65536 ", 65535), Err(Stop::Wrong));
        assert_eq!(read("4294967295 ", u32::MAX), Ok(u32::MAX));
        assert_eq!(read("4294967296 ", u32::MAX), Err(Stop::Wrong));
        assert_eq!(read("18446744073709551617 ", u32::MAX), Err(Stop::Wrong));
        assert_eq!(read("000000000000000000007 ", 9), Ok(7));
        assert_eq!(read("7", 9), Err(Stop::Short));
        assert_eq!(read("", 9), Err(Stop::Short));
        assert_eq!(read("-1 ", 9), Err(Stop::Wrong));
        assert_eq!(Cursor::new(b"7").decimal_at_end(9), Ok(7));
    }

    #[test]
    fn what_has_no_room_is_not_written() {
        let mut buffer = Buffer::<4>::new();
        assert_eq!(buffer.decimal(123), Ok(()));
        assert_eq!(buffer.push(b"45"), Err(Full));
        assert_eq!(buffer.text(), b"123");
        assert_eq!(buffer.decimal(0), Ok(()));
        assert_eq!(buffer.text(), b"1230");
    }

    #[test]
    fn lines_end_with_lf_or_the_text() {
        let mut cursor = Cursor::new(b"a\r\n\nb\rc\nd");
        assert_eq!(cursor.line(), Some(&b"a"[..]));
        assert_eq!(cursor.line(), Some(&b""[..]));
        assert_eq!(cursor.line(), Some(&b"b\rc"[..]));
        assert_eq!(cursor.line(), Some(&b"d"[..]));
        assert_eq!(cursor.line(), None);
    }
}
