// SPDX-License-Identifier: GPL-2.0

//! What requests say of helpers.

use kernel::{
    error::code::{EBUSY, EINVAL, EOVERFLOW},
    prelude::*,
};
use netfilter::{
    conntrack::{
        expect::{CLASSES, MAX_OF_CLASS},
        helper::{user::UserClass, Helper, Policy, NAME_LEN},
    },
    nfnetlink::Request,
    nlattr::{self, Attribute, Extack, Rule},
};
use nf_bindings as bindings;
use nf_proto::be::{Be16, Be32};

pub(crate) const NAME: u32 = bindings::nfnl_cthelper_type_NFCTH_NAME;
pub(crate) const TUPLE: u32 = bindings::nfnl_cthelper_type_NFCTH_TUPLE;
pub(crate) const QUEUE: u32 = bindings::nfnl_cthelper_type_NFCTH_QUEUE_NUM;
pub(crate) const POLICY: u32 = bindings::nfnl_cthelper_type_NFCTH_POLICY;
pub(crate) const DATA_LEN: u32 = bindings::nfnl_cthelper_type_NFCTH_PRIV_DATA_LEN;
pub(crate) const STATUS: u32 = bindings::nfnl_cthelper_type_NFCTH_STATUS;

pub(crate) const L3: u32 = bindings::nfnl_cthelper_tuple_type_NFCTH_TUPLE_L3PROTONUM;
pub(crate) const L4: u32 = bindings::nfnl_cthelper_tuple_type_NFCTH_TUPLE_L4PROTONUM;

pub(crate) const NUMBER: u32 = bindings::nfnl_cthelper_policy_type_NFCTH_POLICY_SET_NUM;
/// That of the first class; the others follow.
pub(crate) const CLASS: u32 = bindings::nfnl_cthelper_policy_type_NFCTH_POLICY_SET;

pub(crate) const CLASS_NAME: u32 = bindings::nfnl_cthelper_pol_type_NFCTH_POLICY_NAME;
pub(crate) const CLASS_MAX: u32 = bindings::nfnl_cthelper_pol_type_NFCTH_POLICY_EXPECT_MAX;
pub(crate) const CLASS_TIMEOUT: u32 = bindings::nfnl_cthelper_pol_type_NFCTH_POLICY_EXPECT_TIMEOUT;

const NAME_RULE: Rule = Rule::Text(NAME_LEN as u16 - 1);

/// A helper's attributes.
pub static HELPER: nlattr::Policy<{ bindings::nfnl_cthelper_type___NFCTH_MAX as usize }> =
    nlattr::Policy::new(&[
        (NAME, NAME_RULE),
        (QUEUE, Rule::U32),
        (DATA_LEN, Rule::U32),
        (STATUS, Rule::U32),
    ]);

static PLACE: nlattr::Policy<{ bindings::nfnl_cthelper_tuple_type___NFCTH_TUPLE_MAX as usize }> =
    nlattr::Policy::new(&[(L3, Rule::U16), (L4, Rule::U8)]);

static CLASSES_OF: nlattr::Policy<
    { bindings::nfnl_cthelper_policy_type___NFCTH_POLICY_SET_MAX as usize },
> = nlattr::Policy::new(&[(NUMBER, Rule::Be32Max(CLASSES as u16))]);

static CLASS_HAS: nlattr::Policy<{ bindings::nfnl_cthelper_pol_type___NFCTH_POLICY_MAX as usize }> =
    nlattr::Policy::new(&[
        (CLASS_NAME, NAME_RULE),
        (CLASS_MAX, Rule::U32),
        (CLASS_TIMEOUT, Rule::U32),
    ]);

/// Which helpers are meant: those of a name, of a family and protocol, or both.
#[derive(Clone, Copy)]
pub struct Meant<'r> {
    name: Option<&'r [u8]>,
    place: Option<(u16, u8)>,
}

impl<'r> Meant<'r> {
    /// Those that a request means.
    ///
    /// # Errors
    ///
    /// `EINVAL`
    pub fn by(request: &Request<'r>) -> Result<Self> {
        let attributes = request.attributes();
        let place = attributes.get(TUPLE);
        Ok(Meant {
            name: attributes.text(NAME),
            place: place
                .map(|attribute| place_in(attribute, request.extack()))
                .transpose()?,
        })
    }

    /// It is meant.
    pub fn is(&self, helper: &Helper) -> bool {
        self.name.is_none_or(|name| helper.name() == name)
            && self
                .place
                .is_none_or(|place| (helper.l3num(), helper.protocol()) == place)
    }

    /// The name, family and protocol, all of which one helper has.
    ///
    /// # Errors
    ///
    /// `EINVAL` if one is missing.
    pub fn one(&self) -> Result<([u8; NAME_LEN], u16, u8)> {
        let (l3num, protocol) = self.place.ok_or(EINVAL)?;
        Ok((padded(self.name.ok_or(EINVAL)?), l3num, protocol))
    }
}

fn place_in(attribute: Attribute<'_>, extack: Extack<'_>) -> Result<(u16, u8)> {
    let nest = attribute.nested(&PLACE, extack)?;
    let l3num = nest.attributes().be16(L3).map(Be16::get).ok_or(EINVAL)?;
    Ok((l3num, nest.attributes().u8(L4).ok_or(EINVAL)?))
}

/// A name with zeroes behind it; cut, if it is too long.
fn padded(name: &[u8]) -> [u8; NAME_LEN] {
    let mut padded = [0; NAME_LEN];
    for (to, from) in padded.iter_mut().zip(name) {
        *to = *from;
    }
    padded
}

/// The classes that a request says, and how many.
#[derive(Clone, Copy)]
pub struct Classes {
    classes: [UserClass; CLASSES as usize],
    number: usize,
}

impl Classes {
    /// From the attribute that has them.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `ERANGE` or `EOVERFLOW` if there are none, too many, or they are
    /// not as they should be.
    pub fn new(attribute: Attribute<'_>, extack: Extack<'_>) -> Result<Self> {
        let nest = attribute.nested(&CLASSES_OF, extack)?;
        let nest = nest.attributes();
        let number = nest.be32(NUMBER).map(Be32::get).ok_or(EINVAL)?;
        if number == 0 {
            return Err(EINVAL);
        }
        if number > CLASSES {
            return Err(EOVERFLOW);
        }
        let mut classes = Classes {
            classes: [UserClass {
                name: [0; NAME_LEN],
                policy: Policy {
                    max_expected: 0,
                    timeout: 0,
                },
            }; CLASSES as usize],
            number: number as usize,
        };
        let announced = classes
            .classes
            .iter_mut()
            .zip(CLASS..=u32::MAX)
            .take(classes.number);
        for (to, kind) in announced {
            *to = class(nest.get(kind).ok_or(EINVAL)?, extack)?;
        }
        Ok(classes)
    }

    /// They.
    pub fn all(&self) -> &[UserClass] {
        self.classes.get(..self.number).unwrap_or_default()
    }

    /// Gives a helper the limits of its classes, which are these.
    ///
    /// # Errors
    ///
    /// `EBUSY` if they are others.
    pub fn apply(&self, helper: &Helper) -> Result {
        let same = |(class, number): (&UserClass, u32)| {
            let name = class.name.split(|byte| *byte == 0).next();
            name == Some(helper.class_name(number))
        };
        if helper.classes() as usize != self.number
            || !self.all().iter().zip(0..=u32::MAX).all(same)
        {
            return Err(EBUSY);
        }
        for (class, number) in self.all().iter().zip(0..=u32::MAX) {
            helper.set_policy(number, class.policy);
        }
        Ok(())
    }
}

fn class(attribute: Attribute<'_>, extack: Extack<'_>) -> Result<UserClass> {
    let nest = attribute.nested(&CLASS_HAS, extack)?;
    let number = |kind| nest.attributes().be32(kind).map(Be32::get).ok_or(EINVAL);
    let name = nest.attributes().text(CLASS_NAME).ok_or(EINVAL)?;
    let max_expected = match number(CLASS_MAX)? {
        0 => MAX_OF_CLASS,
        most if most <= MAX_OF_CLASS => most,
        _ => return Err(EINVAL),
    };
    Ok(UserClass {
        name: padded(name),
        policy: Policy {
            max_expected,
            timeout: number(CLASS_TIMEOUT)?,
        },
    })
}
