// SPDX-License-Identifier: GPL-2.0

//! The messages' types, as far as the decoder has to know them: facts of the
//! ASN.1 of H.225.0 (version 7), H.235 and H.245.

pub(super) mod call;
pub(super) mod channel;
pub(super) mod control;
pub(super) mod ras;
