// SPDX-License-Identifier: GPL-2.0

//! NAT for Open vSwitch and for tc's connection tracking action.
