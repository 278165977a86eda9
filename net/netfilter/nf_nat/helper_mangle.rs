// SPDX-License-Identifier: GPL-2.0

//! Changing what a packet says: for the NAT halves of helpers.
