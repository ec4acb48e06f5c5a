/* SPDX-License-Identifier: GPL-2.0 */
/* Asks a filter's bits whether a table may hold a key. hearthwall_sensor/kernel/filters.py sets them. */
#ifndef HEARTHWALL_FILTER_H
#define HEARTHWALL_FILTER_H

#include "wire.h"
#include "tables.h"

/* Odd and near the golden ratio's part of the range: neighbouring keys spread over the upper bits. */
#define SPREAD_64 0x9e3779b97f4a7c15ULL
#define SPREAD_32 0x9e3779b1U

static inline __attribute__((always_inline)) bool has_bit(u64 *bits, u32 number)
{
	number &= FILTER_WORDS * 64 - 1;
	return bits[number >> 6] >> (number & 63) & 1;
}

static inline __attribute__((always_inline)) bool may_have_mac(struct filters *bits, struct mac *mac)
{
	return has_bit(bits->macs, *(u64 *)mac * SPREAD_64 >> 48);
}

static inline __attribute__((always_inline)) bool may_have_ipv4(struct filters *bits, __be32 address)
{
	return has_bit(bits->ipv4, (u32)(address * SPREAD_32) >> 16);
}

static inline __attribute__((always_inline)) bool may_have_ipv6(struct filters *bits, struct address *address)
{
	u64 high = (u64)address->part[1] << 32 | address->part[0];
	u64 low = (u64)address->part[3] << 32 | address->part[2];

	return has_bit(bits->ipv6, (high * SPREAD_64 + low) * SPREAD_64 >> 48);
}

static inline __attribute__((always_inline)) bool may_have_ipv4_prefix(struct filters *bits, __be32 address)
{
	return has_bit(bits->ipv4_prefixes, bpf_ntohl(address) >> 16);
}

static inline __attribute__((always_inline)) bool may_have_ipv6_prefix(struct filters *bits, __be32 first)
{
	return has_bit(bits->ipv6_prefixes, (u32)(bpf_ntohl(first) * SPREAD_32) >> 16);
}

/* Whether a rule of any of the hashes or prefixes may concern the packet, by its addresses alone. */
static inline __attribute__((always_inline)) bool may_concern(struct config *settings, struct filters *bits, void *data,
							      void *end, u32 offset, struct packet *packet, bool mac)
{
	if (mac && settings->mac_rules && may_have_mac(bits, &packet->source_mac))
		return true;
	if (packet->ethertype == ETHERTYPE_IPV4) {
		struct ipv4 *ip = data + offset;

		if ((void *)(ip + 1) > end)
			return false; /* what has no addresses is judged by its MAC */
		return (settings->ipv4_rules &&
			(may_have_ipv4(bits, ip->source) || may_have_ipv4(bits, ip->destination))) ||
		       (settings->ipv4_prefixes && (may_have_ipv4_prefix(bits, ip->source) ||
						    may_have_ipv4_prefix(bits, ip->destination)));
	}
	if (packet->ethertype == ETHERTYPE_IPV6) {
		struct ipv6 *ip = data + offset;
		struct address source, destination;

		if ((void *)(ip + 1) > end)
			return false;
		__builtin_memcpy(&source, ip->source, 16);
		__builtin_memcpy(&destination, ip->destination, 16);
		return (settings->ipv6_rules &&
			(may_have_ipv6(bits, &source) || may_have_ipv6(bits, &destination))) ||
		       (settings->ipv6_prefixes && (may_have_ipv6_prefix(bits, source.part[0]) ||
						    may_have_ipv6_prefix(bits, destination.part[0])));
	}
	return false;
}

#endif
