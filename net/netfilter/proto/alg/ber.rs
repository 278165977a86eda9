// SPDX-License-Identifier: GPL-2.0

//! ASN.1's Basic Encoding Rules (ITU-T X.690, chapter 8), with definite lengths
//! and tags of one byte: what SNMP needs.

/// The encoding is not right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// A place in an encoding: elements are read one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

/// An element: tag, and contents.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// The identifier octet (X.690, 8.1.2).
    pub tag: u8,
    /// The contents octets.
    pub contents: &'a [u8],
    /// Where the contents are, in bytes from the start of the encoding.
    pub at: usize,
}

impl<'a> Reader<'a> {
    /// At the start of an encoding.
    #[inline]
    pub const fn new(encoding: &'a [u8]) -> Self {
        Reader {
            rest: encoding,
            at: 0,
        }
    }

    /// At `at` in an encoding, of which what is before `end` is read; at its end
    /// if there is no such place.
    #[inline]
    pub fn within(encoding: &'a [u8], at: usize, end: usize) -> Self {
        Reader {
            rest: encoding.get(at..end).unwrap_or(&[]),
            at,
        }
    }

    /// Where it is, in bytes from the start of the encoding.
    #[inline]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Where what can be read ends, in bytes from the start of the encoding.
    #[inline]
    pub const fn end_at(&self) -> usize {
        self.at.saturating_add(self.rest.len())
    }

    /// Nothing is left.
    #[inline]
    pub const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    #[inline]
    pub const fn end(&self) -> Result<(), Malformed> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// Reads an element, which is whole.
    pub fn element(&mut self) -> Result<Element<'a>, Malformed> {
        let [tag, first, rest @ ..] = self.rest else {
            return Err(Malformed);
        };
        // X.690, 8.1.2.4: tags of more bytes.
        if tag & 0x1f == 0x1f {
            return Err(Malformed);
        }
        // X.690, 8.1.3: one byte, or the number of bytes that follow.
        let (length, rest) = match (first, rest) {
            (0..=0x7f, rest) => (usize::from(*first), rest),
            (0x81, [a, rest @ ..]) => (usize::from(*a), rest),
            (0x82, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
            (0x83, [a, b, c, rest @ ..]) => (wide([0, *a, *b, *c])?, rest),
            (0x84, [a, b, c, d, rest @ ..]) => (wide([*a, *b, *c, *d])?, rest),
            _ => return Err(Malformed),
        };
        let contents = rest.get(..length).ok_or(Malformed)?;
        let header = self.rest.len().saturating_sub(rest.len());
        let at = self.at.saturating_add(header);
        self.rest = rest.get(length..).ok_or(Malformed)?;
        self.at = at.saturating_add(length);
        Ok(Element {
            tag: *tag,
            contents,
            at,
        })
    }

    /// Reads an element that has this tag.
    #[inline]
    pub fn tagged(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        let element = self.element()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(Malformed)
        }
    }
}

impl<'a> Element<'a> {
    /// The elements that are its contents.
    #[inline]
    pub const fn inside(&self) -> Reader<'a> {
        Reader {
            rest: self.contents,
            at: self.at,
        }
    }
}

fn wide(bytes: [u8; 4]) -> Result<usize, Malformed> {
    usize::try_from(u32::from_be_bytes(bytes)).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (encoding, at, length) in [
            (&[4u8, 0][..], 2, 0),
            (&[4, 2, 7, 7], 2, 2),
            (&[4, 0x81, 2, 7, 7], 3, 2),
            (&[4, 0x82, 0, 2, 7, 7], 4, 2),
            (&[4, 0x83, 0, 0, 2, 7, 7], 5, 2),
            (&[4, 0x84, 0, 0, 0, 2, 7, 7], 6, 2),
        ] {
            let mut reader = Reader::new(encoding);
            let element = reader.element().unwrap();
            assert_eq!((element.at, element.contents.len()), (at, length));
            assert_eq!(reader.end(), Ok(()));
            for cut in 0..encoding.len() {
                assert!(Reader::new(&encoding[..cut]).element().is_err());
            }
        }
    }

    #[test]
    fn malformed() {
        for encoding in [
            &[4u8, 0x80, 0, 0][..],
            &[4, 0x85, 0, 0, 0, 0, 1, 7],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff, 7],
            &[0x1f, 0x81, 1, 7],
            &[4, 3, 7, 7],
        ] {
            assert!(Reader::new(encoding).element().is_err());
        }
    }
}
