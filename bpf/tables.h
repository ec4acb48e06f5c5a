/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel programs and the sensor share. hearthwall_sensor/tables.py reads the same layouts. */
#ifndef HEARTHWALL_TABLES_H
#define HEARTHWALL_TABLES_H

enum mode {
	MODE_ISOLATE = 1,
	MODE_NO_INTERNET = 2,
};

/* What an isolating rule may let through. */
enum allowance {
	ALLOW_ADDRESSING = 1,
	ALLOW_DNS = 2,
	ALLOW_HOME_ASSISTANT = 4,
};

/* Why a target is never dropped. */
enum role {
	ROLE_SELF = 1,
	ROLE_GATEWAY = 2,
	ROLE_HOME_ASSISTANT = 4,
	ROLE_OPERATOR = 8,
};

enum scope {
	SCOPE_INTERNET,
	SCOPE_LAN,
	SCOPE_GATEWAY,
	SCOPES,
};

enum statistic {
	DROPPED_GATE,
	DROPPED_INGRESS,
	DROPPED_EGRESS,
	DEVICES_CREATED,
	DEVICES_REFUSED,
	STATISTICS,
};

struct config {
	u32 mac_rules; /* entries in each table: an empty one is not searched */
	u32 ipv4_rules;
	u32 ipv6_rules;
	u32 home_networks;
};

struct rule {
	u64 expires; /* nanoseconds since boot, 0 for never */
	u64 packets;
	u64 bytes;
	u64 first_hit; /* nanoseconds since boot, 0 for none */
	u64 last_hit;
	u32 id;
	u8 mode;
	u8 allow;
	u16 zero;
};

struct network {
	u32 prefix_length;
	struct address address;
};

/* A device is one MAC on one port: a frame that the bridge floods to other ports is not its download. */
struct device_key {
	u8 mac[6];
	u16 zero;
	u32 interface;
};

struct counter {
	u64 bytes;
	u64 packets;
};

struct device {
	u64 created; /* nanoseconds since boot: an entry that was evicted and came back starts at zero */
	struct counter upload[SCOPES];
	struct counter download[SCOPES];
};

BPF_ARRAY(config, struct config, 1);
BPF_TABLE("percpu_array", u32, u64, statistics, STATISTICS);

BPF_HASH(mac_rules, struct mac, struct rule, MAX_RULES);
BPF_HASH(ipv4_rules, __be32, struct rule, MAX_RULES);
BPF_HASH(ipv6_rules, struct address, struct rule, MAX_RULES);

BPF_HASH(never_drop_macs, struct mac, u32, MAX_PROTECTED);
BPF_HASH(never_drop_addresses, struct address, u32, MAX_PROTECTED);
BPF_LPM_TRIE(home_networks, struct network, u32, MAX_NETWORKS);

BPF_TABLE("lru_percpu_hash", struct device_key, struct device, devices, MAX_DEVICES);

static inline __attribute__((always_inline)) void count(u32 which)
{
	u64 *value = statistics.lookup(&which);

	if (value)
		*value += 1;
}

#endif
