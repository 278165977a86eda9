// SPDX-License-Identifier: GPL-2.0

//! Masquerading: source NAT to an address of the outgoing device.
