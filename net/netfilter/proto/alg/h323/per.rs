// SPDX-License-Identifier: GPL-2.0

//! Aligned PER (X.691): messages are walked along tables of their ASN.1 types,
//! and what the tables mark is told.
//!
//! There is no recursion: types that are open stand in a stack of fixed depth.
//! Each step takes bits of the message, or a field of a table, so time is linear
//! in the message. What a type contains cannot reach beyond its end.

use super::found::Mark;
use crate::tuple::Family;

/// A type, as it is encoded.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    /// Nothing.
    Null,
    /// So many bits, not aligned.
    Bits(u8),
    /// So many octets, aligned.
    Octets(u8),
    /// A number of a large range: a length of so many bits, less one, and octets.
    Whole(u8),
    /// A length and as many octets: numbers without limits, object identifiers,
    /// strings, open types.
    Counted,
    /// A string of units of so many bits.
    String(Count, u8),
    /// `SEQUENCE`
    Sequence(&'static Sequence),
    /// `SEQUENCE OF`
    SequenceOf(&'static List),
    /// `CHOICE`
    Choice(&'static Choice),
    /// An octet string that contains a type, and what is told of it.
    Contained(Mark, &'static Type),
    /// Four octets, an address that is told, before two of a port.
    Address4,
    /// Sixteen octets, the same.
    Address6,
    /// 1 to 4294967295, told.
    Seconds,
    /// Whatever it is: nothing up to the end of what contains it is wanted.
    Rest,
}

/// How many there are.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    /// A length without limits.
    Any,
    /// So many bits say how many there are more than at least.
    Bits(u8, u16),
    /// So many octets say so.
    Octets(u8, u16),
}

/// `SEQUENCE`
pub(crate) struct Sequence {
    /// It has an extension marker.
    pub extensible: bool,
    /// How many of its fields are optional, at most 64.
    pub options: u8,
    /// Its fields; of one that is cut, those up to the last wanted.
    pub fields: &'static [Field],
    /// What was added, up to the last wanted.
    pub additions: &'static [Alternative],
    /// Nothing that stands behind the last that is listed is wanted, up to the
    /// end of what contains the sequence.
    pub cut: bool,
}

/// `SEQUENCE OF`
pub(crate) struct List {
    /// How many.
    pub count: Count,
    /// Of what: at least a bit.
    pub of: Type,
}

/// `CHOICE`
pub(crate) struct Choice {
    /// It has an extension marker.
    pub extensible: bool,
    /// So many bits tell its alternatives apart.
    pub bits: u8,
    /// Its alternatives.
    pub alternatives: &'static [Alternative],
    /// What was added, up to the last wanted.
    pub additions: &'static [Alternative],
}

/// A field of a sequence.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    optional: bool,
    mark: Mark,
    of: Type,
}

/// A field that is always there.
pub(crate) const fn field(of: Type) -> Field {
    Field {
        optional: false,
        mark: Mark::None,
        of,
    }
}

/// A field that may be missing.
pub(crate) const fn optional(of: Type) -> Field {
    Field {
        optional: true,
        mark: Mark::None,
        of,
    }
}

impl Field {
    /// It is told when it is there.
    pub(crate) const fn told(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }
}

/// An alternative of a choice, or an addition.
#[derive(Clone, Copy)]
pub(crate) struct Alternative {
    mark: Mark,
    of: Type,
}

/// An alternative or addition.
pub(crate) const fn alternative(of: Type) -> Alternative {
    Alternative {
        mark: Mark::None,
        of,
    }
}

impl Alternative {
    /// It is told when it is there.
    pub(crate) const fn told(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }
}

/// Why a message is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// It ends too early, or what contains something does.
    Short,
    /// There is no such choice, or a length is in pieces or larger than any.
    Range,
    /// Types are within types too deeply, or too much is told.
    Much,
}

/// Who is told what a message has, in its order.
pub(crate) trait Listener {
    /// The decoder is at something that a table marks.
    fn at(&mut self, mark: Mark);

    /// An address begins here, in octets from the message's start; a port of two
    /// octets follows.
    ///
    /// # Errors
    ///
    /// [`Bad::Much`]
    fn address(&mut self, family: Family, at: u16) -> Result<(), Bad>;

    /// A time.
    fn seconds(&mut self, seconds: u32);
}

/// How deeply types are within types; a test says that the tables need less.
pub(super) const DEPTH: usize = 20;

/// What is being read.
#[derive(Clone, Copy)]
enum Frame {
    /// The field `next` of a sequence is next; the uppermost bits of `options`
    /// say which of the optional ones that follow are there.
    Fields {
        of: &'static Sequence,
        options: u64,
        next: u8,
        extended: bool,
    },
    /// The addition `next` is next; so many are `left`, of which the uppermost
    /// bits say which are there.
    Additions {
        of: &'static Sequence,
        present: u64,
        next: u8,
        left: u8,
    },
    /// So many are left.
    List { of: &'static Type, left: u16 },
    /// An open type that ends here, in bits; what contains it ends there.
    Open { end: u32, outer: u32 },
}

/// A message that is being read.
struct Walk<'p> {
    bytes: &'p [u8],
    /// In bits.
    pos: u32,
    /// In bits, of what contains what is being read.
    end: u32,
    frames: [Frame; DEPTH],
    depth: usize,
}

/// Reads a message of a type; of what is longer than any IP packet nothing.
///
/// # Errors
///
/// See [`Bad`]. What was told before is to be forgotten.
pub(crate) fn walk(
    bytes: &[u8],
    of: &'static Type,
    listener: &mut impl Listener,
) -> Result<(), Bad> {
    let len = u16::try_from(bytes.len()).map_err(|_| Bad::Range)?;
    let nothing = Frame::List {
        of: &Type::Null,
        left: 0,
    };
    let mut walk = Walk {
        bytes,
        pos: 0,
        end: u32::from(len) << 3,
        frames: [nothing; DEPTH],
        depth: 0,
    };
    walk.enter(*of, listener)?;
    while let Some(frame) = walk.pop() {
        walk.step(frame, listener)?;
    }
    Ok(())
}

impl Walk<'_> {
    fn push(&mut self, frame: Frame) -> Result<(), Bad> {
        *self.frames.get_mut(self.depth).ok_or(Bad::Much)? = frame;
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    fn pop(&mut self) -> Option<Frame> {
        self.depth = self.depth.checked_sub(1)?;
        self.frames.get(self.depth).copied()
    }

    /// Nothing up to the end of the innermost open type is wanted.
    fn stop(&mut self) {
        while let Some(frame) = self.pop() {
            if let Frame::Open { .. } = frame {
                self.depth = self.depth.saturating_add(1);
                return;
            }
        }
    }

    /// Goes on with what was left.
    fn step(&mut self, frame: Frame, listener: &mut impl Listener) -> Result<(), Bad> {
        match frame {
            Frame::Open { end, outer } => {
                self.pos = end;
                self.end = outer;
            }
            Frame::List { left: 0, .. } => {}
            Frame::List { of, left } => {
                let left = left.saturating_sub(1);
                self.push(Frame::List { of, left })?;
                self.enter(*of, listener)?;
            }
            Frame::Fields {
                of,
                mut options,
                next,
                extended,
            } => {
                let Some(field) = of.fields.get(usize::from(next)) else {
                    return self.fields_end(of, extended);
                };
                let present = if field.optional {
                    let present = options >> 63 != 0;
                    options <<= 1;
                    present
                } else {
                    true
                };
                let next = next.saturating_add(1);
                self.push(Frame::Fields {
                    of,
                    options,
                    next,
                    extended,
                })?;
                if present {
                    listener.at(field.mark);
                    self.enter(field.of, listener)?;
                }
            }
            Frame::Additions {
                of,
                present,
                next,
                left,
            } => {
                let addition = of.additions.get(usize::from(next));
                if of.cut && addition.is_none() {
                    self.stop();
                    return Ok(());
                }
                let Some(left) = left.checked_sub(1) else {
                    if of.cut {
                        self.stop();
                    }
                    return Ok(());
                };
                self.push(Frame::Additions {
                    of,
                    present: present << 1,
                    next: next.saturating_add(1),
                    left,
                })?;
                if present >> 63 != 0 {
                    self.open(addition, listener)?;
                }
            }
        }
        Ok(())
    }

    /// A sequence's fields are read: what was added comes next.
    fn fields_end(&mut self, of: &'static Sequence, extended: bool) -> Result<(), Bad> {
        if of.cut && (!extended || of.additions.is_empty()) {
            self.stop();
            return Ok(());
        }
        if !extended {
            return Ok(());
        }
        // More than 64 need another form; nobody has added so many.
        if self.bits(1)? != 0 {
            return Err(Bad::Range);
        }
        let left = (self.bits(6)? as u8).saturating_add(1);
        let present = self.map(left)?;
        self.push(Frame::Additions {
            of,
            present,
            next: 0,
            left,
        })
    }

    /// An open type; what is in it, if that is known.
    fn open(
        &mut self,
        inside: Option<&Alternative>,
        listener: &mut impl Listener,
    ) -> Result<(), Bad> {
        let Some(inside) = inside else {
            return self.counted();
        };
        if let Type::Rest = inside.of {
            listener.at(inside.mark);
            return self.counted();
        }
        self.contain()?;
        listener.at(inside.mark);
        self.enter(inside.of, listener)
    }

    /// What follows is within as many octets as it says.
    fn contain(&mut self) -> Result<(), Bad> {
        let len = self.length()?;
        let end = self.after(u32::from(len) << 3)?;
        let outer = self.end;
        self.push(Frame::Open { end, outer })?;
        self.end = end;
        Ok(())
    }

    /// Reads a type, or begins to.
    fn enter(&mut self, mut of: Type, listener: &mut impl Listener) -> Result<(), Bad> {
        loop {
            match of {
                Type::Null => {}
                Type::Bits(bits) => self.skip(bits.into())?,
                Type::Octets(octets) => self.octets(octets.into())?,
                Type::Whole(bits) => {
                    let octets = self.bits(bits)?.saturating_add(1);
                    self.octets(octets)?;
                }
                Type::Counted => self.counted()?,
                Type::String(count, bits) => {
                    let units = self.count(count)?;
                    if units != 0 {
                        self.align()?;
                        self.skip(u32::from(units).saturating_mul(bits.into()))?;
                    }
                }
                Type::Sequence(of) => {
                    let extended = of.extensible && self.bits(1)? != 0;
                    let options = self.map(of.options)?;
                    self.push(Frame::Fields {
                        of,
                        options,
                        next: 0,
                        extended,
                    })?;
                }
                Type::SequenceOf(list) => {
                    let left = self.count(list.count)?;
                    self.push(Frame::List { of: &list.of, left })?;
                }
                Type::Choice(choice) => {
                    if choice.extensible && self.bits(1)? != 0 {
                        let index = self.small()?;
                        return self.open(choice.additions.get(index as usize), listener);
                    }
                    let index = self.bits(choice.bits)?;
                    let chosen = choice.alternatives.get(index as usize);
                    let chosen = chosen.ok_or(Bad::Range)?;
                    listener.at(chosen.mark);
                    of = chosen.of;
                    continue;
                }
                Type::Contained(mark, inside) => {
                    self.contain()?;
                    listener.at(mark);
                    of = *inside;
                    continue;
                }
                Type::Address4 => self.address(Family::Ipv4, 4, listener)?,
                Type::Address6 => self.address(Family::Ipv6, 16, listener)?,
                Type::Seconds => {
                    let octets = self.bits(2)?.saturating_add(1);
                    self.align()?;
                    let mut value = 0u32;
                    for _ in 0..octets {
                        value = (value << 8) | self.bits(8)?;
                    }
                    // It says how many there are more than one.
                    listener.seconds(value.saturating_add(1));
                }
                Type::Rest => self.stop(),
            }
            return Ok(());
        }
    }

    fn address(
        &mut self,
        family: Family,
        octets: u32,
        listener: &mut impl Listener,
    ) -> Result<(), Bad> {
        self.align()?;
        let at = self.pos >> 3;
        // With the port.
        self.after(octets.saturating_add(2) << 3)?;
        self.octets(octets)?;
        listener.address(family, u16::try_from(at).map_err(|_| Bad::Range)?)
    }

    /// Where so many bits end.
    fn after(&self, bits: u32) -> Result<u32, Bad> {
        let end = self.pos.checked_add(bits).ok_or(Bad::Short)?;
        if end <= self.end {
            Ok(end)
        } else {
            Err(Bad::Short)
        }
    }

    fn skip(&mut self, bits: u32) -> Result<(), Bad> {
        self.pos = self.after(bits)?;
        Ok(())
    }

    /// Bits up to an octet's end are skipped.
    fn align(&mut self) -> Result<(), Bad> {
        let over = self.pos & 7;
        if over == 0 {
            Ok(())
        } else {
            self.skip(8u32.saturating_sub(over))
        }
    }

    fn octets(&mut self, octets: u32) -> Result<(), Bad> {
        self.align()?;
        self.skip(octets.checked_mul(8).ok_or(Bad::Short)?)
    }

    /// At most 16 bits.
    fn bits(&mut self, bits: u8) -> Result<u32, Bad> {
        let end = self.after(bits.into())?;
        let from = (self.pos >> 3) as usize;
        let mut window = 0u32;
        let bytes = self.bytes.get(from..).unwrap_or(&[]);
        for byte in bytes.iter().copied().chain([0; 4]).take(4) {
            window = (window << 8) | u32::from(byte);
        }
        let value = window << (self.pos & 7);
        self.pos = end;
        Ok(value
            .checked_shr(32u32.saturating_sub(bits.into()))
            .unwrap_or(0))
    }

    /// At most 64 bits, the first one uppermost.
    fn map(&mut self, bits: u8) -> Result<u64, Bad> {
        let mut map = 0u64;
        let mut left = bits;
        let mut room = 64u32;
        while left != 0 {
            let part = left.min(16);
            room = room.saturating_sub(part.into());
            map |= u64::from(self.bits(part)?).checked_shl(room).unwrap_or(0);
            left = left.saturating_sub(part);
        }
        Ok(map)
    }

    /// A length without limits, in one piece.
    fn length(&mut self) -> Result<u16, Bad> {
        self.align()?;
        let first = self.bits(8)?;
        match first >> 6 {
            0 | 1 => Ok(first as u16),
            2 => Ok((((first & 0x3f) << 8) | self.bits(8)?) as u16),
            _ => Err(Bad::Range),
        }
    }

    /// A length and as many octets.
    fn counted(&mut self) -> Result<(), Bad> {
        let len = self.length()?;
        self.octets(len.into())
    }

    /// A number that normally is small.
    fn small(&mut self) -> Result<u32, Bad> {
        if self.bits(1)? == 0 {
            return self.bits(6);
        }
        // None of ours is as large.
        self.counted()?;
        Ok(u32::MAX)
    }

    fn count(&mut self, count: Count) -> Result<u16, Bad> {
        match count {
            Count::Any => self.length(),
            Count::Bits(bits, least) => Ok((self.bits(bits)? as u16).saturating_add(least)),
            Count::Octets(octets, least) => {
                self.align()?;
                let number = self.bits(octets.saturating_mul(8).min(16))?;
                Ok((number as u16).saturating_add(least))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod shape {
    //! What tests ask of tables.

    use super::*;

    /// How deep a type becomes, in frames.
    pub(in super::super) fn depth(of: &Type) -> usize {
        let most = |list: &[Alternative]| list.iter().map(|a| depth(&a.of)).max().unwrap_or(0);
        match of {
            Type::Sequence(of) => {
                let fields = of.fields.iter().map(|f| depth(&f.of)).max().unwrap_or(0);
                1 + fields.max(1 + most(of.additions))
            }
            Type::SequenceOf(list) => 1 + depth(&list.of),
            Type::Choice(choice) => most(choice.alternatives).max(1 + most(choice.additions)),
            Type::Contained(_, inside) => 1 + depth(inside),
            _ => 0,
        }
    }

    /// Elements of lists have at least a bit, choices as many alternatives as
    /// their bits are for, sequences as many optional fields as they say.
    pub(in super::super) fn check(of: &Type) {
        match of {
            Type::Sequence(of) => {
                let optional = of.fields.iter().filter(|f| f.optional).count();
                assert!(of.options <= 64 && optional <= of.options.into());
                assert!(of.cut || optional == usize::from(of.options));
                of.fields.iter().for_each(|f| check(&f.of));
                of.additions.iter().for_each(|a| check(&a.of));
                assert!(of.extensible || of.additions.is_empty());
            }
            Type::SequenceOf(list) => {
                assert!(!matches!(list.of, Type::Null | Type::Bits(0)));
                if let Type::Sequence(of) = list.of {
                    assert!(of.extensible || of.options > 0 || !of.fields.is_empty());
                }
                check(&list.of);
            }
            Type::Choice(choice) => {
                let most = 1 << choice.bits;
                assert!(choice.alternatives.len() <= most && choice.alternatives.len() * 2 > most);
                choice.alternatives.iter().for_each(|a| check(&a.of));
                choice.additions.iter().for_each(|a| check(&a.of));
            }
            Type::Contained(_, inside) => check(inside),
            _ => {}
        }
    }
}
