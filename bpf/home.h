/* SPDX-License-Identifier: GPL-2.0 */
/* What is home and what is internet, and who of either must stay reachable. */
#ifndef HEARTHWALL_HOME_H
#define HEARTHWALL_HOME_H

#include "tables.h"

/* Private, link-local, carrier-grade, multicast and reserved addresses are no internet; nor are home_networks. */
static inline __attribute__((always_inline)) bool is_home(struct config *settings, struct address *address)
{
	struct network network;
	u32 searched = HOME_IPV6;

	if (address->part[0] == 0 && address->part[1] == 0 && address->part[2] == bpf_htonl(0xffff)) {
		u32 ip = bpf_ntohl(address->part[3]);

		if (ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 || ip >> 16 == 0xa9fe ||
		    ip >> 22 == 0x191 || ip >> 24 == 127 || ip >> 24 == 0 || ip >= 0xe0000000)
			return true;
		searched = HOME_IPV4;
	} else {
		u32 ip = bpf_ntohl(address->part[0]);

		if (ip >> 25 == 0xfc >> 1 || ip >> 22 == 0xfe80 >> 6 || ip >> 24 == 0xff)
			return true;
		if (ip == 0 && address->part[1] == 0 && address->part[2] == 0 && bpf_ntohl(address->part[3]) <= 1)
			return true;
	}
	if (!(settings->home_networks & searched))
		return false;
	network.prefix_length = 128;
	network.address = *address;
	return home_networks.lookup(&network) != NULL;
}

static inline __attribute__((always_inline)) u32 role_of(struct address *address)
{
	u32 *role = never_drop_addresses.lookup(address);

	return role ? *role : 0;
}

#endif
