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

static inline __attribute__((always_inline)) bool may_have_mac(struct filters *bits, u64 mac)
{
	return has_bit(bits->macs, mac * SPREAD_64 >> 48);
}

static inline __attribute__((always_inline)) bool may_have_ipv4(struct filters *bits, __be32 address)
{
	return has_bit(bits->ipv4, (u32)(address * SPREAD_32) >> 16);
}

/* An address's bit, from its halves in memory: as numbers, for neighbours to differ in the bits that are spread. */
static inline __attribute__((always_inline)) u32 address_bit(u64 high, u64 low)
{
	return (bpf_ntohll(high) * SPREAD_64 + bpf_ntohll(low)) * SPREAD_64 >> 48;
}

static inline __attribute__((always_inline)) bool may_have_ipv6(struct filters *bits, u64 high, u64 low)
{
	return has_bit(bits->ipv6, address_bit(high, low));
}

static inline __attribute__((always_inline)) bool may_have_ipv4_prefix(struct filters *bits, __be32 address)
{
	return has_bit(bits->ipv4_prefixes, bpf_ntohl(address) >> 16);
}

static inline __attribute__((always_inline)) bool may_have_ipv6_prefix(struct filters *bits, __be32 first)
{
	return has_bit(bits->ipv6_prefixes, (u32)(bpf_ntohl(first) * SPREAD_32) >> 16);
}

static inline __attribute__((always_inline)) bool may_be_protected_mac(struct filters *bits, u64 mac)
{
	return has_bit(bits->never_drop, mac * SPREAD_64 >> 48);
}

static inline __attribute__((always_inline)) bool may_be_protected(struct filters *bits, u64 high, u64 low)
{
	return has_bit(bits->never_drop, address_bit(high, low));
}

#endif
