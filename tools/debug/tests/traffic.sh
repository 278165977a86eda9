#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A mix of traffic and administration on a kernel that checks itself. What it
# finds, it says, and fails the run.
#
# needs: nf_conntrack nf_nat nf_conntrack_netlink
# timeout: 300
. ./mix.sh

ktap_print_header
ktap_set_plan 6
mix_begin
check 'traffic gets through' mix_reaches
mix_traffic
mix_others
sleep "${SECONDS_OF_STRESS:-60}"
stop_jobs
check 'and still does' mix_reaches
mix_end
ktap_finished
