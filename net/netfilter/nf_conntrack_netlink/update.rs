// SPDX-License-Identifier: GPL-2.0

//! Changing a connection: each attribute that may be changed, for those that
//! exist, are being made, or whose packet user space has in its hands.

use crate::{attr::*, protoinfo};
use kernel::{prelude::*, sync::rcu};
use netfilter::{
    conntrack::{attributes::Synproxy, helper::Help, seqadj, Conn, Status, HZ},
    nfnetlink::{errno, Request},
    nlattr::{Attribute, Attributes, Extack, Parsed, Policy, Rule},
};
use nf_bindings as bindings;
use nf_conntrack::{
    change, helper,
    labels::{self, Change},
};
use nf_proto::{be::Be32, seqadj::SeqAdj};

use bindings::{
    ctattr_help_CTA_HELP_INFO as CTA_HELP_INFO, ctattr_help_CTA_HELP_NAME as CTA_HELP_NAME,
    ctattr_seqadj_CTA_SEQADJ_CORRECTION_POS as CTA_SEQADJ_CORRECTION_POS,
    ctattr_seqadj_CTA_SEQADJ_OFFSET_AFTER as CTA_SEQADJ_OFFSET_AFTER,
    ctattr_seqadj_CTA_SEQADJ_OFFSET_BEFORE as CTA_SEQADJ_OFFSET_BEFORE,
    ctattr_synproxy_CTA_SYNPROXY_ISN as CTA_SYNPROXY_ISN,
    ctattr_synproxy_CTA_SYNPROXY_ITS as CTA_SYNPROXY_ITS,
    ctattr_synproxy_CTA_SYNPROXY_TSOFF as CTA_SYNPROXY_TSOFF,
};

/// Changes a connection that others know as a request says.
///
/// # Errors
///
/// `EOPNOTSUPP` for what only new connections get, `EBUSY` for what may not be
/// changed that way; `EINVAL`. What was done before an error stays.
pub(crate) fn change(request: &Request<'_>, conn: &Conn) -> Result {
    let (attributes, extack) = (request.attributes(), request.extack());
    if attributes.has_any(&[CTA_NAT_SRC, CTA_NAT_DST, CTA_TUPLE_MASTER]) {
        let error = errno(bindings::EOPNOTSUPP);
        return Err(extack.refuse(error, c"NAT and master are for new connections"));
    }
    if let Some(nest) = attributes.get(CTA_HELP) {
        set_helper(conn, nest, extack)?;
    }
    timeout(attributes, conn)?;
    if let Some(status) = attributes.be32(CTA_STATUS) {
        self::status(conn, status, extack)?;
    }
    if let Some(nest) = attributes.get(CTA_PROTOINFO) {
        protoinfo::set(conn, nest, extack)?;
    }
    mark(attributes, conn);
    sequence_adjustment(attributes, conn, extack)?;
    synproxy(attributes, conn, extack)?;
    if attributes.has(CTA_LABELS) {
        labels(attributes, conn, extack)?;
    }
    Ok(())
}

/// Changes a connection as user space says that gives a packet of it back: less
/// than others may, and with fewer complaints.
///
/// # Errors
///
/// As above.
pub(crate) fn change_queued(attributes: Attributes<'_>, conn: &Conn) -> Result {
    let extack = Extack::NONE;
    timeout(attributes, conn)?;
    if let Some(status) = attributes.be32(CTA_STATUS) {
        let wanted = Status(status.get().into());
        let now = conn.status();
        // These can only be set.
        let once = Status::SEEN_REPLY | Status::ASSURED;
        if Status(now.0 & !wanted.0).any(once) {
            return Err(EBUSY);
        }
        // What may not be changed is passed over.
        conn.change_status(wanted, Status(!wanted.0));
    }
    if let Some(nest) = attributes.get(CTA_HELP) {
        set_helper(conn, nest, extack)?;
    }
    if attributes.has(CTA_LABELS) {
        labels(attributes, conn, extack)?;
    }
    mark(attributes, conn);
    Ok(())
}

fn timeout(attributes: Attributes<'_>, conn: &Conn) -> Result {
    match attributes.be32(CTA_TIMEOUT) {
        Some(seconds) => change::timeout(conn, u64::from(seconds.get()).saturating_mul(HZ.into())),
        None => Ok(()),
    }
}

/// Sets status bits.
///
/// # Errors
///
/// `EBUSY` if one may not be changed that way.
pub(crate) fn status(conn: &Conn, status: Be32, extack: Extack<'_>) -> Result {
    change::status(conn, Status(status.get().into()))
        .map_err(|error| extack.refuse(error, c"Some status bit may not be changed so"))
}

/// Sets the mark: the bits that are in the mask, or all.
pub(crate) fn mark(attributes: Attributes<'_>, conn: &Conn) {
    let Some(mark) = attributes.be32(CTA_MARK).map(Be32::get) else {
        return;
    };
    let kept = attributes.be32(CTA_MARK_MASK).map_or(0, |mask| !mask.get());
    let (old, new) = (conn.mark(), (conn.mark() & kept) ^ mark);
    if new != old {
        conn.set_mark(new);
    }
}

static SEQADJ: Policy<{ bindings::ctattr_seqadj___CTA_SEQADJ_MAX as usize }> = Policy::new(&[
    (CTA_SEQADJ_CORRECTION_POS, Rule::U32),
    (CTA_SEQADJ_OFFSET_BEFORE, Rule::U32),
    (CTA_SEQADJ_OFFSET_AFTER, Rule::U32),
]);

/// Sets by how much sequence numbers are shifted.
///
/// # Errors
///
/// `EINVAL`
pub(crate) fn sequence_adjustment(
    attributes: Attributes<'_>,
    conn: &Conn,
    extack: Extack<'_>,
) -> Result {
    // Both are read before one is set.
    let read = |number| {
        attributes
            .get(number)
            .map(|nest| read_adjustment(nest, extack))
            .transpose()
    };
    let (original, reply) = (read(CTA_SEQ_ADJ_ORIG)?, read(CTA_SEQ_ADJ_REPLY)?);
    if original.is_none() && reply.is_none() {
        return Ok(());
    }
    let done = seqadj::with(conn, |both| {
        for (to, from) in both.iter_mut().zip([original, reply]) {
            if let Some(from) = from {
                *to = from;
            }
        }
    });
    if done.is_some() {
        seqadj::mark(conn);
    }
    Ok(())
}

fn read_adjustment(nest: Attribute<'_>, extack: Extack<'_>) -> Result<SeqAdj> {
    let parsed = nest.nested(&SEQADJ, extack)?;
    let number = |number| {
        parsed
            .attributes()
            .be32(number)
            .map(Be32::get)
            .ok_or_else(|| extack.refuse_attribute(EINVAL, c"The adjustment is incomplete", nest))
    };
    Ok(SeqAdj {
        correction_pos: number(CTA_SEQADJ_CORRECTION_POS)?,
        offset_before: number(CTA_SEQADJ_OFFSET_BEFORE)? as i32,
        offset_after: number(CTA_SEQADJ_OFFSET_AFTER)? as i32,
    })
}

static SYNPROXY: Policy<{ bindings::ctattr_synproxy___CTA_SYNPROXY_MAX as usize }> =
    Policy::new(&[
        (CTA_SYNPROXY_ISN, Rule::U32),
        (CTA_SYNPROXY_ITS, Rule::U32),
        (CTA_SYNPROXY_TSOFF, Rule::U32),
    ]);

/// Sets what SYNPROXY keeps.
///
/// # Errors
///
/// `EINVAL`
pub(crate) fn synproxy(attributes: Attributes<'_>, conn: &Conn, extack: Extack<'_>) -> Result {
    let (Some(nest), true) = (attributes.get(CTA_SYNPROXY), conn.synproxy().is_some()) else {
        return Ok(());
    };
    let parsed = nest.nested(&SYNPROXY, extack)?;
    let number = |number| {
        parsed
            .attributes()
            .be32(number)
            .map(Be32::get)
            .ok_or_else(|| extack.refuse_attribute(EINVAL, c"Some of it is missing", nest))
    };
    conn.set_synproxy(Synproxy {
        isn: number(CTA_SYNPROXY_ISN)?,
        its: number(CTA_SYNPROXY_ITS)?,
        tsoff: number(CTA_SYNPROXY_TSOFF)?,
    });
    Ok(())
}

/// Replaces labels: the bits that are in the mask, or all.
///
/// # Errors
///
/// `EINVAL` if these are not whole words or as many, `ENOSPC` if the connection
/// has no labels.
pub(crate) fn labels(attributes: Attributes<'_>, conn: &Conn, extack: Extack<'_>) -> Result {
    let wrong = || extack.refuse(EINVAL, c"Labels are whole words, and so is their mask");
    let data = attributes.bytes(CTA_LABELS).unwrap_or(&[]);
    let mask = attributes.bytes(CTA_LABELS_MASK);
    if data.len() % 4 != 0 || mask.is_some_and(|mask| mask.is_empty() || mask.len() != data.len()) {
        return Err(wrong());
    }
    let word = |bytes: &[u8]| bytes.first_chunk().copied().map_or(0, u32::from_ne_bytes);
    let mut masks = mask.map(|mask| mask.chunks_exact(4));
    let changes = data.chunks_exact(4).map(|data| Change {
        data: word(data),
        // Without a mask all of a word is replaced.
        mask: match &mut masks {
            Some(masks) => masks.next().map_or(0, word),
            None => u32::MAX,
        },
    });
    labels::replace(conn, changes).map_err(|_| ENOSPC)
}

const HELP_NAME: u16 = bindings::NF_CT_HELPER_NAME_LEN as u16 - 1;

const HELP: usize = bindings::ctattr_help___CTA_HELP_MAX as usize;

static HELP_POLICY: Policy<HELP> = Policy::new(&[(CTA_HELP_NAME, Rule::Text(HELP_NAME))]);

/// A helper that is asked for by its name.
pub(crate) struct WantedHelper<'a>(Parsed<'a, HELP>);

impl<'a> WantedHelper<'a> {
    /// From `CTA_HELP`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no name.
    pub(crate) fn read(nest: Attribute<'a>, extack: Extack<'_>) -> Result<Self> {
        let parsed = nest.nested(&HELP_POLICY, extack)?;
        if !parsed.attributes().has(CTA_HELP_NAME) {
            return Err(extack.refuse_attribute(EINVAL, c"The helper has no name", nest));
        }
        Ok(WantedHelper(parsed))
    }

    /// Its name.
    pub(crate) fn name(&self) -> &[u8] {
        self.0.attributes().text(CTA_HELP_NAME).unwrap_or(&[])
    }

    /// What it should know about the connection.
    pub(crate) fn info(&self) -> Option<Attribute<'_>> {
        self.0.attributes().get(CTA_HELP_INFO)
    }
}

/// A connection's helper cannot be changed any more, but may be told something.
fn set_helper(conn: &Conn, nest: Attribute<'_>, extack: Extack<'_>) -> Result {
    let wanted = WantedHelper::read(nest, extack)?;
    let rcu = rcu::read_lock();
    let help = Help::of(conn);
    let present = help.and_then(|help| help.helper(&rcu));
    let busy = || extack.refuse_attribute(EBUSY, c"It has another helper", nest);
    // Expected connections have the one of their expectation.
    if conn.master().is_some() {
        return match present {
            Some(present) if present.name() == wanted.name() => Ok(()),
            _ => Err(busy()),
        };
    }
    let unsupported = |text| extack.refuse_attribute(errno(bindings::EOPNOTSUPP), text, nest);
    let found = helper::find(&rcu, wanted.name(), conn.l3num(), conn.protocol())
        .ok_or_else(|| unsupported(c"There is no such helper"))?;
    match (help, present) {
        (None, _) => Err(unsupported(c"It is too late for a helper")),
        (_, Some(present)) if core::ptr::eq(present, found) => {
            found.read_info(wanted.info(), conn);
            Ok(())
        }
        _ => Err(busy()),
    }
}
