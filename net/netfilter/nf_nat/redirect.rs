// SPDX-License-Identifier: GPL-2.0

//! Redirection: destination NAT to this host.
